import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { KillableTollgate } from '../support/kill-scenario.ts';
import { RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';
import { FailingNetwork } from './servers/failing-network.ts';
import { RefusingProxy, type Shares } from './servers/refusing-proxy.ts';
import { assertWhole } from './support/assert-whole.ts';
import { initStores, type StoreNames } from './support/distributed-stores.ts';
import { recoveryOf } from './support/recovery-of.ts';
import {
  type ServersOnSmallDisks,
  startServersOnSmallDisks,
} from './support/servers-on-small-disks.ts';
import { startRoles } from './support/start-roles.ts';
import { type Sent, SteadyLoad } from './support/steady-load.ts';
import { forgetCheckpoints } from './support/stored-counts.ts';

const SEED = Number(process.env['TOLLGATE_SEED'] ?? 20_261_121);
/** The stated limit is 30 s. */
const RECOVERED_WITHIN_MS = 90_000;
/** Load before a fault. */
const WARM_MS = 3_000;

let servers: ServersOnSmallDisks;
before(async () => {
  servers = await startServersOnSmallDisks();
});
after(async () => servers?.[Symbol.asyncDispose]());

interface Scene {
  readonly load: SteadyLoad;
  readonly roles: KillableTollgate;
  /** Past what disturbs the roles. */
  readonly stores: StoreNames;
}

interface Play {
  readonly stores: StoreNames;
  /** The stores as the roles reach them. */
  readonly through: StoreNames;
  readonly disturb: (scene: Scene) => Promise<void>;
  /** Everything comes a second time in the end. */
  readonly twice?: boolean;
}

/** Counters of a process by their names and labels. */
async function counted(tollgate: RunningTollgate, labels: RegExp): Promise<number> {
  const text = await (await fetch(`${tollgate.url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => labels.test(line));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/**
 * A collector without its checkpoints and its data folder: files are read from their beginning, and
 * senders send all they have sent.
 *
 * @returns when everything has come a second time
 */
async function deliverAgain({ load, roles, stores }: Scene, sent: Sent): Promise<void> {
  await roles.collect.kill();
  await forgetCheckpoints(stores.ledger);
  await rm(join(load.folder, 'data-collect'), { recursive: true });
  const config = { ...load.config, stores };
  await using collect = await RunningTollgate.start(load.folder, config, 'collect');
  await load.pushAgain(collect);
  const lines = /^tollgate_records_total\{.*collector="logs".*fate="kept"/;
  const facts = /^tollgate_records_total\{.*collector="containers".*reason="duplicate"/;
  await collect.until(
    async () => [await counted(collect, lines), await counted(collect, facts)],
    ([read = 0, known = 0]) => read >= sent.lines + sent.pushedLogs && known >= 2 * sent.executors,
    RECOVERED_WITHIN_MS,
  );
  assert.equal(await collect.stop(), 0);
}

/** A process for each role under load while something happens; then all must be there once. */
async function play(
  t: TestContext,
  { stores, through, disturb, twice = false }: Play,
): Promise<void> {
  await using folder = await temporaryFolder();
  await using load = await SteadyLoad.prepare(folder.path);
  await using roles = await startRoles(folder.path, { ...load.config, stores: through });
  load.start(roles.collect);
  await wait(WARM_MS);
  await disturb({ load, roles, stores });
  const over = performance.now();
  const sent = await load.stop();
  t.diagnostic(`everything was taken ${Math.round(performance.now() - over)} ms later`);
  await assertWhole(load, sent, { serve: roles.serve, stores });
  t.diagnostic(`in the stores once each: ${JSON.stringify(sent)}`);
  if (!twice) assert.deepEqual(await roles.stop(), [0, 0, 0]);
  else {
    await deliverAgain({ load, roles, stores }, sent);
    await assertWhole(load, sent, { serve: roles.serve, stores });
  }
}

test('the network to all stores is cut for 60 s: nothing is lost or doubled', async (t) => {
  const stores = await initStores(servers);
  const { ledger, logs, metrics } = stores;
  const ports = [ledger, logs, metrics].map(({ url }) => Number(new URL(url).port));
  await using network = await FailingNetwork.to(ports);
  const through = {
    ledger: { ...ledger, url: network.through(ledger.url) },
    logs: { ...logs, url: network.through(logs.url) },
    metrics: { ...metrics, url: network.through(metrics.url) },
  };
  await play(t, {
    ...{ stores, through },
    async disturb({ load }) {
      const cut = performance.now();
      await network.silence();
      await wait(15_000);
      await network.refuse();
      await wait(10_000);
      await network.fallSilent();
      await wait(60_000 - (performance.now() - cut));
      const recovery = recoveryOf(stores, RECOVERED_WITHIN_MS);
      network.mend();
      const cutMs = Math.round(performance.now() - cut);
      t.diagnostic(`cut for ${cutMs} ms; from then to what was stored next: ${await recovery}`);
      assert.ok(load.refusals > 0, 'the cut was felt');
    },
  });
});

test('disks of all stores are full: it waits, and goes on when there is room', async (t) => {
  const stores = await initStores(servers);
  await play(t, {
    ...{ stores, through: stores },
    async disturb({ roles }) {
      await servers.fillDisks();
      const full = performance.now();
      const saidBy = async (what: RegExp): Promise<void> => {
        await roles.collect.until(
          async () => what.test(roles.collect.errors),
          (said) => said,
          60_000,
        );
        t.diagnostic(`${what} after ${Math.round(performance.now() - full)} ms`);
      };
      await Promise.all([
        saidBy(/Elasticsearch at \S+ has no room on its disk/),
        saidBy(/PostgreSQL at \S+: its disk is full/),
        saidBy(/InfluxDB at \S+ .*(?:disk|space)/),
      ]);
      await wait(3_000);
      await servers.freeDisks();
      // It answers the error of its log's last write until it is started again, room or not.
      await servers.influxdb.process?.stop();
      await servers.influxdb.process?.start();
      const recovery = recoveryOf(stores, RECOVERED_WITHIN_MS);
      t.diagnostic(`from the room on to what was stored next: ${await recovery}`);
    },
  });
});

function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

test('servers refuse, answer late, or do half, and all comes twice: it is stored once', async (t) => {
  t.diagnostic(`seed ${SEED}`);
  const stores = await initStores(servers);
  const random = seeded(SEED);
  await using elastic = await RefusingProxy.start(stores.logs.url, random);
  await using influx = await RefusingProxy.start(stores.metrics.url, random);
  const through = {
    ...stores,
    logs: { ...stores.logs, url: elastic.url },
    metrics: { ...stores.metrics, url: influx.url },
  };
  await play(t, {
    ...{ stores, through, twice: true },
    async disturb() {
      const shares: Shares = { busy: 12, away: 12, slow: 12, unsaid: 12, half: 30 };
      elastic.refuse(shares);
      influx.refuse({ ...shares, half: 0 });
      await wait(12_000);
      const recovery = recoveryOf(stores, RECOVERED_WITHIN_MS);
      elastic.passAll();
      influx.passAll();
      t.diagnostic(`Elasticsearch: ${JSON.stringify(elastic.counts)}`);
      t.diagnostic(`InfluxDB: ${JSON.stringify(influx.counts)}`);
      t.diagnostic(`from the last refusal to what was stored next: ${await recovery}`);
      for (const fault of Object.keys(shares) as (keyof Shares)[]) {
        assert.ok(elastic.counts[fault] > 0, `Elasticsearch: ${fault}`);
        assert.ok(fault === 'half' || influx.counts[fault] > 0, `InfluxDB: ${fault}`);
      }
    },
  });
});

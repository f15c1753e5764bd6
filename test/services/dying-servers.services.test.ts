import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type KillableTollgate, killScenario } from '../support/kill-scenario.ts';
import { RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';
import { type DistributedStores, startDistributedStores } from './support/distributed-stores.ts';
import { startRoles } from './support/start-roles.ts';

let servers: DistributedStores;
before(async () => {
  servers = await startDistributedStores();
});
after(async () => servers?.[Symbol.asyncDispose]());

/** Started once, and never helped: whatever its servers do, it has to come back by itself. */
let running: Promise<KillableTollgate> | undefined;

/** How long a server is gone before it is started again. */
const AWAY_MS = 2_000;
/** Promised, once the servers are ready. */
const READY_MS = 30_000;

killScenario({
  name: 'each server killed in its turn, on Elasticsearch, InfluxDB and PostgreSQL',
  async start(folder, config) {
    running ??= startRoles(folder, { ...config, stores: servers.stores });
    const all = await running;
    return { ...all, kill: async () => undefined, [Symbol.asyncDispose]: async () => undefined };
  },
  async disturb(round) {
    const { elasticsearch, influxdb, postgresql } = servers;
    const { process } = [elasticsearch, postgresql, influxdb][round % 3] ?? elasticsearch;
    assert.ok(process !== undefined, 'this test kills servers of its own');
    await wait(200);
    await process.kill();
    await wait(AWAY_MS);
    await process.start();
  },
});

test('a service that is started while its servers are away is ready once they are back', async (t) => {
  const { elasticsearch, influxdb, postgresql } = servers;
  const processes = [elasticsearch, influxdb, postgresql].map(({ process }) => {
    assert.ok(process !== undefined, 'this test kills servers of its own');
    return process;
  });
  await Promise.all(processes.map((one) => one.kill()));
  await using folder = await temporaryFolder();
  let isReady = false;
  const starting = RunningTollgate.start(folder.path, { stores: servers.stores }, 'meter');
  void starting.then(() => {
    isReady = true;
  });
  await wait(AWAY_MS);
  assert.ok(!isReady, 'nothing that it could work with is there');
  await Promise.all(processes.map((one) => one.start()));
  const backAt = performance.now();
  await using meter = await starting;
  const took = performance.now() - backAt;
  t.diagnostic(`ready ${Math.round(took)} ms after the last server was`);
  assert.match(meter.errors, /waiting for it/);
  assert.ok(took < 3 * READY_MS, `${took} ms`);
});

after(async () => (await running)?.[Symbol.asyncDispose]());

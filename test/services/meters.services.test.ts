import assert from 'node:assert/strict';
import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';
import { type DistributedStores, startDistributedStores } from './support/distributed-stores.ts';

const APPLICATIONS = 48;
const applicationId = (n: number): string => `application_1795248855005_${`${n}`.padStart(4, '0')}`;
const LEASE_MS = 3_000;
/** Three times what it should take: the lease's time and a settlement. */
const TAKE_OVER_MS = 3 * (LEASE_MS + 5_000);
const HOUR_MS = 3_600_000;

let servers: DistributedStores;
before(async () => {
  servers = await startDistributedStores();
});
after(async () => servers?.[Symbol.asyncDispose]());

const event = (name: string, more: object): string =>
  `${JSON.stringify({ Event: `SparkListener${name}`, ...more })}\n`;

function applicationStart(n: number, at: number): string {
  return (
    event('LogStart', { 'Spark Version': '3.5.6' }) +
    event('EnvironmentUpdate', {
      'Spark Properties': { 'spark.master': 'yarn', 'spark.tollgate.project': 'etl' },
    }) +
    event('ApplicationStart', {
      ...{ 'App Name': 'orders', 'App ID': applicationId(n), 'App Attempt ID': '1' },
      ...{ Timestamp: at, User: 'alice' },
    })
  );
}

/** One executor of a thousand seconds. */
function executor(n: number, start: number): string {
  return (
    event('ExecutorAdded', {
      ...{ Timestamp: start, 'Executor ID': `${n}` },
      'Executor Info': { Host: 'h', 'Total Cores': 2, 'Log Urls': {}, Attributes: {} },
    }) +
    event('ExecutorRemoved', {
      ...{ Timestamp: start + 1_000_000, 'Executor ID': `${n}` },
      'Removed Reason': 'killed by driver',
    })
  );
}

interface Charges {
  readonly charges: {
    id: string;
    type: string;
    application: string;
    container: string;
    role: string;
    hour: string;
    step: string;
    containerMs: string;
    amount: string;
  }[];
}

/** Every row of the project, page by page. */
async function allRows(serve: RunningTollgate): Promise<Charges['charges']> {
  const path = '/v1/projects/etl/charges?from=-2d&until=now&limit=5000';
  const { charges } = await serve.get<Charges>(path);
  assert.equal(new Set(charges.map(({ id }) => id)).size, charges.length);
  return charges;
}

async function executorMs(serve: RunningTollgate): Promise<bigint> {
  return (await allRows(serve))
    .filter(({ role }) => role === 'executor')
    .reduce((sum, { containerMs }) => sum + BigInt(containerMs), 0n);
}

/** What executors come to, net, by container, hour and step. Drivers still run, each to its own now. */
async function netOf(serve: RunningTollgate): Promise<string[]> {
  const sums = new Map<string, [bigint, number]>();
  for (const row of (await allRows(serve)).filter(({ role }) => role === 'executor')) {
    const key = [row.application, row.container, row.hour, row.step].join(' ');
    const [ms, amount] = sums.get(key) ?? [0n, 0];
    sums.set(key, [ms + BigInt(row.containerMs), amount + Math.round(Number(row.amount) * 1e9)]);
  }
  return [...sums].map(([key, sum]) => `${key} ${sum.join(' ')}`).sort();
}

/** A counter or gauge of a process; 0 before it was first set. */
async function measured(tollgate: RunningTollgate, name: string): Promise<number> {
  const text = await (await fetch(`${tollgate.url}/metrics`)).text();
  const values = [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\d+)`, 'gm'))];
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}

const sharesOf = (meters: readonly RunningTollgate[]): Promise<number[]> =>
  Promise.all(meters.map((meter) => measured(meter, 'tollgate_metering_shards')));

/** How long until the meters hold these shares. */
async function untilShares(
  meters: readonly RunningTollgate[],
  expected: readonly number[],
): Promise<number> {
  const start = performance.now();
  await meters[0]?.until(
    () => sharesOf(meters),
    (shares) => shares.toSorted().join() === expected.join(),
    3 * 2 * LEASE_MS,
  );
  return Math.round(performance.now() - start);
}

/** Event logs of many applications, which come to all shards, and what was written to them. */
class Platform {
  readonly #folder: string;
  readonly #begin = Date.now() - 3 * HOUR_MS;
  #executors = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async start(): Promise<void> {
    for (let n = 0; n < APPLICATIONS; n += 1) {
      await appendFile(this.#log(n), applicationStart(n, this.#begin));
    }
  }

  /** @returns what all executors ran for, of a thousand seconds each */
  async add(count: number): Promise<bigint> {
    for (let i = 0; i < count; i += 1) {
      this.#executors += 1;
      const lines = executor(this.#executors, this.#begin + this.#executors);
      await appendFile(this.#log(this.#executors % APPLICATIONS), lines);
    }
    return BigInt(this.#executors) * 1_000_000n;
  }

  #log(n: number): string {
    return join(this.#folder, `${applicationId(n)}_1.inprogress`);
  }
}

test('meters share the shards; one that sleeps or dies is replaced, and its late writes change nothing', async (t) => {
  await using folder = await temporaryFolder();
  const folders = ['events', 'a', 'b', 'c', 'alone'].map((name) => join(folder.path, name));
  for (const path of folders) await mkdir(path);
  const [events = '', ...places] = folders;
  const common = {
    containers: { clusters: [{ id: 'main', eventLogs: [events] }] },
    metering: { meterLeaseMs: LEASE_MS, settleIntervalMs: 200, projects: [{ id: 'etl' }] },
  };
  const config = { ...common, stores: servers.stores };
  const [placeA = '', placeB = '', placeC = '', alone = ''] = places;
  await using meterA = await RunningTollgate.start(placeA, config, 'meter');
  await using meterB = await RunningTollgate.start(placeB, config, 'meter');
  await using _collect = await RunningTollgate.start(folder.path, config, 'collect');
  await using serve = await RunningTollgate.start(folder.path, config, 'serve');
  const platform = new Platform(events);
  const charged = (ms: bigint): Promise<bigint> =>
    serve.until(
      () => executorMs(serve),
      (sum) => sum >= ms,
      TAKE_OVER_MS,
    );
  t.diagnostic(`8 shards each after ${await untilShares([meterA, meterB], [8, 8])} ms`);
  await platform.start();
  await charged(await platform.add(2 * APPLICATIONS));
  for (const meter of [meterA, meterB]) {
    assert.ok((await measured(meter, 'tollgate_metering_charges_total')) > 0, 'both work');
  }

  meterA.pause();
  const slept = performance.now();
  await charged(await platform.add(APPLICATIONS));
  t.diagnostic(`a sleeper's shards: charged after ${Math.round(performance.now() - slept)} ms`);
  assert.deepEqual(await sharesOf([meterB]), [16]);
  meterA.resume();
  // It wakes up believing that the leases are its own, and finds out.
  t.diagnostic(`8 each again after ${await untilShares([meterA, meterB], [8, 8])} ms`);
  const sum = await platform.add(APPLICATIONS);
  assert.equal(await charged(sum), sum);

  await using meterC = await RunningTollgate.start(placeC, config, 'meter');
  const three = await untilShares([meterA, meterB, meterC], [4, 6, 6]);
  t.diagnostic(`a third one has its share after ${three} ms`);
  await meterB.kill();
  const killed = performance.now();
  const more = await platform.add(APPLICATIONS);
  assert.equal(await charged(more), more);
  t.diagnostic(`after a kill -9 charged after ${Math.round(performance.now() - killed)} ms`);
  t.diagnostic(`8 each after ${await untilShares([meterA, meterC], [8, 8])} ms more`);

  const { process: postgresql } = servers.postgresql;
  assert.ok(postgresql !== undefined, 'this test restarts its own PostgreSQL');
  const adding = platform.add(5 * APPLICATIONS);
  await postgresql.kill();
  await postgresql.start();
  const answering = performance.now();
  const all = await adding;
  assert.equal(await charged(all), all);
  t.diagnostic(
    `after PostgreSQL's restart charged in ${Math.round(performance.now() - answering)} ms`,
  );

  await using undisturbed = await RunningTollgate.start(alone, {
    ...common,
    metrics: { graphite: [] },
  });
  await undisturbed.until(
    () => executorMs(undisturbed),
    (ms) => ms >= all,
    TAKE_OVER_MS,
  );
  assert.deepEqual(await netOf(serve), await netOf(undisturbed));
});

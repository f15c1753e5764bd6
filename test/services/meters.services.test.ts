import assert from 'node:assert/strict';
import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';
import { type DistributedStores, startDistributedStores } from './support/distributed-stores.ts';

const APPLICATION = 'application_1795248855005_0007';
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

function applicationStart(at: number): string {
  return (
    event('LogStart', { 'Spark Version': '3.5.6' }) +
    event('EnvironmentUpdate', {
      'Spark Properties': { 'spark.master': 'yarn', 'spark.tollgate.project': 'etl' },
    }) +
    event('ApplicationStart', {
      ...{ 'App Name': 'orders', 'App ID': APPLICATION, 'App Attempt ID': '1' },
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
  readonly charges: { id: string; role: string; containerMs: string }[];
}

async function executorMs(serve: RunningTollgate): Promise<bigint> {
  const path = '/v1/projects/etl/charges?from=-2d&until=now&limit=5000';
  const { charges } = await serve.get<Charges>(path);
  assert.equal(new Set(charges.map(({ id }) => id)).size, charges.length);
  return charges
    .filter(({ role }) => role === 'executor')
    .reduce((sum, { containerMs }) => sum + BigInt(containerMs), 0n);
}

/** A counter of a process; 0 before it was first counted. */
async function counted(tollgate: RunningTollgate, name: string): Promise<number> {
  const text = await (await fetch(`${tollgate.url}/metrics`)).text();
  const values = [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\d+)`, 'gm'))];
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}

test('a meter that sleeps past its lease is replaced, and its late writes change nothing', async (t) => {
  await using folder = await temporaryFolder();
  const [events, first, second] = ['events', 'a', 'b'].map((name) => join(folder.path, name));
  assert.ok(events !== undefined && first !== undefined && second !== undefined);
  for (const path of [events, first, second]) await mkdir(path);
  const config = {
    stores: servers.stores,
    containers: { clusters: [{ id: 'main', eventLogs: [events] }] },
    metering: { meterLeaseMs: LEASE_MS, settleIntervalMs: 200, projects: [{ id: 'etl' }] },
  };
  await using meterA = await RunningTollgate.start(first, config, 'meter');
  await using meterB = await RunningTollgate.start(second, config, 'meter');
  await using _collect = await RunningTollgate.start(folder.path, config, 'collect');
  await using serve = await RunningTollgate.start(folder.path, config, 'serve');
  const log = join(events, `${APPLICATION}_1.inprogress`);
  const begin = Date.now() - 3 * HOUR_MS;
  let executors = 0;
  const add = async (count: number): Promise<bigint> => {
    for (let i = 0; i < count; i += 1) {
      executors += 1;
      await appendFile(log, executor(executors, begin + executors));
    }
    return BigInt(executors) * 1_000_000n;
  };
  const charged = (ms: bigint): Promise<bigint> =>
    serve.until(
      () => executorMs(serve),
      (sum) => sum >= ms,
      TAKE_OVER_MS,
    );
  await appendFile(log, applicationStart(begin));
  await charged(await add(20));
  const worked = await counted(meterA, 'tollgate_metering_charges_total');
  const [leader, other] = worked > 0 ? [meterA, meterB] : [meterB, meterA];
  assert.equal(await counted(other, 'tollgate_metering_charges_total'), 0);

  leader.pause();
  const slept = performance.now();
  await charged(await add(20));
  t.diagnostic(`taken over after ${Math.round(performance.now() - slept)} ms`);
  leader.resume();
  // It wakes up believing that the lease is its own, and finds out.
  await wait(2 * LEASE_MS);
  const sum = await charged(await add(20));
  assert.equal(sum, 60_000_000n);
  assert.ok((await counted(other, 'tollgate_metering_charges_total')) > 0);

  await other.kill();
  const killed = performance.now();
  assert.equal(await charged(await add(20)), 80_000_000n);
  t.diagnostic(`after a kill -9 taken over after ${Math.round(performance.now() - killed)} ms`);

  const { process: postgresql } = servers.postgresql;
  assert.ok(postgresql !== undefined, 'this test restarts its own PostgreSQL');
  const adding = add(200);
  await postgresql.kill();
  await postgresql.start();
  const answering = performance.now();
  const all = await adding;
  assert.equal(await charged(all), all);
  t.diagnostic(
    `after PostgreSQL's restart charged in ${Math.round(performance.now() - answering)} ms`,
  );
});

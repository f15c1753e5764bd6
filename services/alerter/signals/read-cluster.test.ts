import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ACTIVITY_SIGNALS,
  type ActivitySight,
  type ClusterSight,
} from '../../../shared/clusters/cluster-actuator.ts';
import { HOUR_MS, MINUTE_MS } from '../../../shared/values/instant.ts';
import {
  applicationFact,
  containerFact,
  loadFact,
  T0,
} from '../../../test/support/fact-builders.ts';
import { openSignalBench } from '../../../test/support/signal-bench.ts';

const NOW = T0 + 3 * HOUR_MS;
const cluster = (measure: string, more: object = {}) => ({ kind: 'cluster', measure, ...more });

const active = (minutesAgo: number | undefined, more: Partial<ActivitySight> = {}) =>
  ACTIVITY_SIGNALS.map((signal) => ({
    signal,
    lastAt: minutesAgo === undefined ? undefined : NOW - minutesAgo * MINUTE_MS,
    ...{ asOf: NOW, source: 'driver', complete: true, ...more },
  }));

const sight = (
  activity: readonly ActivitySight[],
  more: Partial<Extract<ClusterSight, { outcome: 'seen' }>> = {},
): ClusterSight => ({
  ...{ outcome: 'seen', state: 'running', name: 'lab', startedAt: T0, owner: 'ann', tags: {} },
  ...{ market: 'unknown', protected: false, activity, at: NOW },
  ...more,
});

const told = (one: ClusterSight) => ({
  targets: new Map([['yarn-1', { cluster: async () => one }]]),
});

test('an age is since the incarnation that its manager tells, and costs what its nodes would', async () => {
  await using bench = await openSignalBench(NOW, {
    ...told(sight([])),
    creditsPerHour: async (_, { millicores }) => BigInt(millicores) * 1_000_000n,
  });
  await bench.tell([
    {
      ...{ kind: 'node-started', id: 'n', cluster: 'yarn-1', witness: 'yarn', at: T0, node: 'n1' },
      ...{ capacity: { millicores: 8_000, memoryMib: 1, gpus: 0 }, market: 'unknown' },
    },
  ]);
  const [sample] = await bench.samples(cluster('age'));
  assert.equal(sample?.value, 3 * 3_600);
  assert.equal(sample?.target.startedAt, T0);
  assert.deepEqual(sample?.cost, { perHour: '8', soFar: '24' });
  assert.deepEqual([sample?.annotations['nodes'], sample?.annotations['owner']], ['1', 'ann']);
});

test('a cluster that is gone is no subject, and one that nobody can ask has no value', async () => {
  await using gone = await openSignalBench(NOW, told({ outcome: 'absent', at: NOW }));
  assert.deepEqual(await gone.samples(cluster('age')), []);
  await using away = await openSignalBench(NOW, told({ outcome: 'unknown', why: 'timeout' }));
  const [sample] = await away.samples(cluster('age'));
  assert.deepEqual([sample?.value, sample?.why], [undefined, 'timeout']);
  await using bare = await openSignalBench(NOW);
  assert.match((await bare.samples(cluster('age')))[0]?.why ?? '', /no reader/);
});

test('idle is as long as the signal that was active last', async () => {
  const activity = active(90).map((one) =>
    one.signal === 'sessions' ? { ...one, lastAt: NOW - 40 * MINUTE_MS } : one,
  );
  await using bench = await openSignalBench(NOW, told(sight(activity)));
  assert.equal((await bench.samples(cluster('idle')))[0]?.value, 40 * 60);
});

test('unknown is not idle: a signal without an answer, an old one, or half a one', async () => {
  const spoilt: ActivitySight[][] = [
    active(90).filter(({ signal }) => signal !== 'stages'),
    active(90).map((one) => (one.signal === 'stages' ? { ...one, lastAt: undefined } : one)),
    active(90).map((one) =>
      one.signal === 'stages' ? { ...one, asOf: NOW - 11 * MINUTE_MS } : one,
    ),
    active(90).map((one) => (one.signal === 'stages' ? { ...one, complete: false } : one)),
  ];
  for (const activity of spoilt) {
    await using bench = await openSignalBench(NOW, told(sight(activity)));
    const [sample] = await bench.samples(cluster('idle'));
    assert.equal(sample?.value, undefined);
    assert.match(sample?.why ?? '', /unknown: stages/);
  }
});

/** Loads each minute: busy until `busyUntil` minutes ago, nothing allocated after that. */
const loads = (busyUntil: number) =>
  Array.from({ length: 120 }, (_, n) => loadFact(NOW - n * MINUTE_MS, n >= busyUntil ? 0.5 : 0));

test('nothing allocated is idle in every way, as long as that goes back without a gap', async () => {
  await using bench = await openSignalBench(NOW);
  await bench.tell(loads(50));
  const [sample] = await bench.samples(cluster('idle'));
  assert.equal(sample?.value, 49 * 60);
  bench.now = NOW + 2 * MINUTE_MS;
  await bench.tell([loadFact(bench.now, 0)]);
  assert.equal((await bench.samples(cluster('idle')))[0]?.value, 51 * 60);
  await using gap = await openSignalBench(NOW);
  await gap.tell(
    loads(120).filter(({ at }) => at > NOW - 20 * MINUTE_MS || at < NOW - 40 * MINUTE_MS),
  );
  assert.equal((await gap.samples(cluster('idle')))[0]?.value, 19 * 60);
});

test('an application that runs, a busy cluster, old loads or a meter that is behind are not idle', async () => {
  await using runs = await openSignalBench(NOW);
  await runs.tell([
    ...loads(120),
    applicationFact('application-seen', T0),
    containerFact('container-started', T0),
  ]);
  assert.equal((await runs.samples(cluster('idle')))[0]?.value, undefined);
  await using busy = await openSignalBench(NOW);
  await busy.tell(loads(0));
  assert.equal((await busy.samples(cluster('idle')))[0]?.value, undefined);
  await using old = await openSignalBench(NOW);
  await old.tell(loads(120).filter(({ at }) => at < NOW - 6 * MINUTE_MS));
  assert.equal((await old.samples(cluster('idle')))[0]?.value, undefined);
  await using behind = await openSignalBench(NOW);
  await behind.tell(loads(120));
  behind.now = NOW + 12 * MINUTE_MS;
  assert.equal((await behind.samples(cluster('idle')))[0]?.value, undefined);
});

test('load is the mean share of the window; without capacity or loads there is no value', async () => {
  await using bench = await openSignalBench(NOW);
  const load = cluster('load', { window: '10m' });
  assert.equal((await bench.samples(load))[0]?.why, 'nobody told its load');
  await bench.tell([
    loadFact(NOW - 20 * MINUTE_MS, 1),
    loadFact(NOW - 4 * MINUTE_MS, 0.2),
    loadFact(NOW, 0.6),
  ]);
  const [sample] = await bench.samples(load);
  assert.equal(sample?.value, 40);
  assert.equal(sample?.evidence[0]?.watermark, NOW);
  const empty = { capacity: { millicores: 0, memoryMib: 0, gpus: 0 } };
  await using none = await openSignalBench(NOW);
  await none.tell([loadFact(NOW, 0, empty)]);
  assert.match((await none.samples(load))[0]?.why ?? '', /divided by zero/);
});

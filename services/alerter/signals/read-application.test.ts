import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_LIMITS } from '../../../shared/rating/evaluate-limits.ts';
import { RESERVATION_TAG } from '../../../shared/stores/reservation-store.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../shared/values/instant.ts';
import { applicationFact, containerFact, T0 } from '../../../test/support/fact-builders.ts';
import { aHold, ETL } from '../../../test/support/ledger-builders.ts';
import { openSignalBench, type SignalBench, valuesBy } from '../../../test/support/signal-bench.ts';

const NOW = T0 + 2 * HOUR_MS;
const TAGS = { project: ETL, cluster: 'yarn-1' };
const measure = (name: string, more: object = {}) => ({
  ...{ kind: 'application', measure: name },
  ...more,
});

/** A driver and an executor that run; the agent saw both a second ago. */
async function runs(bench: SignalBench, application: string, more: object = {}): Promise<void> {
  const driver = `${application}//driver`;
  const executor = `${application}//1`;
  const of = { application, witness: 'agent' as const };
  await bench.tell(
    [
      applicationFact('application-seen', T0, { ...of, ...more }),
      containerFact('container-started', T0, { ...of, container: driver, role: 'driver' }),
      containerFact('container-started', T0 + 1_000, { ...of, container: executor }),
    ],
    {
      evidence: [driver, executor].map((container) => ({
        ...{ cluster: 'yarn-1', container, until: bench.now - SECOND_MS },
      })),
    },
  );
}

test('run time and cost are of what runs, with what it costs and when its manager says it began', async () => {
  await using bench = await openSignalBench(NOW);
  await runs(bench, 'app-1');
  await bench.tell([
    applicationFact('application-seen', T0 + 7, { witness: 'yarn', id: 'yarn/seen' }),
  ]);
  const [sample] = await bench.samples(measure('run-time'));
  assert.equal(sample?.value, 7_200);
  assert.deepEqual(sample?.labels, {
    ...{ project: 'etl', cluster: 'yarn-1', application: 'app-1', name: 'nightly etl' },
  });
  assert.deepEqual(sample?.target, {
    ...{ kind: 'application', cluster: 'yarn-1', id: 'app-1', startedAt: T0 + 7 },
  });
  const [cost] = await bench.samples(measure('cost'));
  assert.ok((cost?.value ?? 0) > 0);
  assert.equal(Number(cost?.cost?.soFar), cost?.value);
  assert.ok(Number(cost?.cost?.perHour) > 0);
});

test('filters narrow by name, tag, kind, project and cluster', async () => {
  await using bench = await openSignalBench(NOW);
  await runs(bench, 'app-1', { name: 'nightly-a' });
  await runs(bench, 'app-2', { name: 'PySparkShell', tags: { team: 'x' } });
  const found = async (more: object) =>
    Object.keys(valuesBy(await bench.samples(measure('run-time', more)), 'application')).join();
  assert.equal(await found({}), 'app-1,app-2');
  assert.equal(await found({ names: ['nightly-*'] }), 'app-1');
  assert.equal(await found({ tags: { team: 'x' } }), 'app-2');
  assert.equal(await found({ kinds: ['notebook'] }), 'app-2');
  assert.equal(await found({ kinds: ['batch'] }), 'app-1');
  assert.equal(await found({ projects: ['ml'] }), '');
  assert.equal(await found({ clusters: ['lab'] }), '');
});

test('idle is told by the agent alone; a job, a stream, a line of the driver or no executor end it', async () => {
  await using bench = await openSignalBench(NOW);
  const job = (application: string, minutesAgo: number, runningJobs: number) => ({
    ...{ at: NOW - minutesAgo * MINUTE_MS, measurement: 'spark_activity' },
    ...{ tags: { ...TAGS, application }, fields: { runningJobs } },
  });
  for (const name of ['idle', 'busy', 'logs', 'unknown', 'streams']) await runs(bench, name);
  await bench.tell([
    applicationFact('application-seen', T0, { application: 'bare' }),
    containerFact('container-started', T0, {
      ...{ application: 'bare', container: 'bare//driver', role: 'driver' },
    }),
  ]);
  await bench.points([
    ...[job('idle', 50, 0), job('busy', 50, 1), job('logs', 50, 0), job('bare', 50, 0)],
    {
      ...{ at: NOW - MINUTE_MS, measurement: 'streaming_query', fields: { state: 0 } },
      tags: { ...TAGS, application: 'streams', query: 'q', run: 'r', name: 'n' },
    },
  ]);
  await bench.lines([
    { application: 'logs', container: 'driver', at: NOW - 20 * MINUTE_MS, project: ETL },
  ]);
  const samples = await bench.samples(measure('idle'));
  assert.deepEqual(valuesBy(samples, 'application'), {
    ...{ idle: 50 * 60, busy: 1, logs: 20 * 60, unknown: undefined, streams: 0, bare: 0 },
  });
  const unknown = samples.find(({ labels }) => labels['application'] === 'unknown');
  assert.equal(unknown?.why, 'no agent tells its jobs');
  const idle = samples.find(({ labels }) => labels['application'] === 'idle');
  assert.equal(idle?.annotations['executors'], '1');
  assert.equal(idle?.evidence[0]?.watermark, NOW - SECOND_MS);
});

test('a driver is silent since anybody saw it last', async () => {
  await using bench = await openSignalBench(NOW);
  await runs(bench, 'app-1');
  bench.now = NOW + 5 * MINUTE_MS;
  assert.equal((await bench.samples(measure('driver-silence')))[0]?.value, 301);
  await bench.tell([
    applicationFact('application-seen', T0, { application: 'logged' }),
    containerFact('container-started', T0, {
      ...{ application: 'logged', container: 'logged//driver', role: 'driver' },
    }),
  ]);
  const logged = (await bench.samples(measure('driver-silence', { names: ['nightly*'] }))).find(
    ({ labels }) => labels['application'] === 'logged',
  );
  assert.match(logged?.why ?? '', /no agent and no manager/);
});

test('executors that were lost count, those that were let go do not', async () => {
  await using bench = await openSignalBench(NOW);
  await runs(bench, 'app-1');
  const ended = (container: string, minutesAgo: number, reason: string) => [
    containerFact('container-started', T0, { container, witness: 'agent' }),
    containerFact('container-stopped', NOW - minutesAgo * MINUTE_MS, {
      ...{ container, reason, witness: 'agent' },
    }),
  ];
  await bench.tell([
    ...ended('x1', 2, 'Container killed by YARN for exceeding memory limits'),
    ...ended('x2', 3, 'Executor heartbeat timed out after 120000 ms'),
    ...ended('x3', 3, 'Executor killed by driver.'),
    ...ended('x4', 3, 'application ended'),
    ...ended('x5', 30, 'worker lost'),
  ]);
  const [sample] = await bench.samples(measure('executor-losses', { window: '10m' }));
  assert.equal(sample?.value, 2);
  assert.match(sample?.annotations['reason'] ?? '', /memory limits|timed out/);
});

test('without a reservation an application is unreserved since it began', async () => {
  await using bench = await openSignalBench(NOW);
  await bench.ledger.grants.grant({
    ...{ id: 'g', project: ETL, amount: 10n ** 15n, reason: 'r', grantedAt: T0 },
  });
  await bench.ledger.reservations.hold(aHold({ leaseMs: 10 * HOUR_MS }), NO_LIMITS, T0);
  await runs(bench, 'with', { tags: { [RESERVATION_TAG]: 'r1' } });
  await runs(bench, 'without');
  assert.deepEqual(valuesBy(await bench.samples(measure('unreserved')), 'application'), {
    ...{ with: 0, without: 7_200 },
  });
});

/** Runs of one workload, an hour each, that ended one after another before NOW − 1 h. */
async function earlier(bench: SignalBench, count: number): Promise<void> {
  for (let n = count; n > 0; n -= 1) {
    const start = NOW - HOUR_MS - n * 2 * HOUR_MS;
    const of = { application: `old-${n}`, witness: 'agent' as const };
    const container = { ...of, container: `old-${n}//1` };
    await bench.tell([
      applicationFact('application-seen', start, of),
      containerFact('container-started', start, container),
      containerFact('container-stopped', start + HOUR_MS, container),
      applicationFact('application-ended', start + HOUR_MS, of),
    ]);
  }
}

test('a run is held against the median of the runs before it, with why', async () => {
  await using bench = await openSignalBench(NOW);
  await earlier(bench, 6);
  const of = { application: 'now', witness: 'agent' as const };
  const start = NOW - HOUR_MS;
  await bench.tell([
    applicationFact('application-seen', start, of),
    ...[1, 2, 3].map((n) =>
      containerFact('container-started', start, { ...of, container: `now//${n}` }),
    ),
    ...[1, 2, 3].map((n) =>
      containerFact('container-stopped', NOW, { ...of, container: `now//${n}` }),
    ),
    applicationFact('application-ended', NOW, of),
  ]);
  const read = (application: string, at: number, readBytes: number) => ({
    ...{ at, measurement: 'spark_activity', fields: { readBytes } },
    tags: { ...TAGS, application },
  });
  await bench.points([
    read('now', NOW, 9e9),
    ...[1, 2, 3].map((n) => read(`old-${n}`, NOW - 2 * n * HOUR_MS, 3e9)),
  ]);
  const ratio = measure('cost-ratio', { window: '30m' });
  const [sample] = await bench.samples(ratio);
  assert.equal(sample?.labels['application'], 'now');
  assert.equal(Math.round((sample?.value ?? 0) * 100), 300);
  assert.match(
    sample?.annotations['cause'] ?? '',
    /read 3.0 times as much \(9.0 GB, usually 3.0 GB\)/,
  );
  const [time] = await bench.samples(measure('duration-ratio', { window: '30m' }));
  assert.equal(time?.value, 1);
  const [dear] = await bench.samples({ ...ratio, minimum: 1e9 });
  assert.equal(dear?.value, 0);
});

test('with too few earlier runs there is no ratio', async () => {
  await using bench = await openSignalBench(NOW);
  await earlier(bench, 3);
  const old = measure('duration-ratio', { window: '3h' });
  const samples = await bench.samples(old);
  assert.match(samples[0]?.why ?? '', /earlier runs are known, 5 are needed/);
});

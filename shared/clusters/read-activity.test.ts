import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadFact } from '../../test/support/fact-builders.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { anApplication, aSettlement, ETL } from '../../test/support/ledger-builders.ts';
import { MetricBench } from '../../test/support/metric-bench.ts';
import type { LoadFact } from '../contracts/container-fact.ts';
import { queryStateCode } from '../contracts/progress-record.ts';
import { openLedger } from '../stores/sql/open-ledger.ts';
import { HOUR_MS, MINUTE_MS } from '../values/instant.ts';
import { ACTIVITY_SIGNALS, type ActivitySignal, type TargetReader } from './cluster-actuator.ts';
import { clusterIdleness } from './cluster-idleness.ts';
import { readActivity } from './read-activity.ts';
import { WatchedTargetReader } from './watched-target-reader.ts';

const NOW = Date.UTC(2026, 10, 22, 12);
const CLUSTER = 'yarn-1';
const NEVER = new AbortController().signal;
const minutesAgo = (n: number) => NOW - n * MINUTE_MS;
const CONTEXT = {
  now: NOW,
  startedAt: NOW - 10 * HOUR_MS,
  freshMs: 2 * MINUTE_MS,
  windowMs: 30 * MINUTE_MS,
  minAgeMs: HOUR_MS,
};

async function setUp() {
  const ledger = await openLedger({ file: ':memory:' });
  const metrics = await MetricBench.open();
  const sources = {
    journal: ledger.journalReader,
    ledger: ledger.ledgerReader,
    metrics: metrics.reader,
  };
  const ask = (neverHas: readonly ActivitySignal[] = [], cluster = CLUSTER) =>
    readActivity(sources, {
      cluster,
      now: NOW,
      lookbackMs: 4 * HOUR_MS,
      neverHas: new Set(neverHas),
    });
  return {
    sources,
    ask,
    async looks(...facts: readonly LoadFact[]) {
      await ledger.journalWriter.record(
        { facts, evidence: [], activity: [], checkpoints: [] },
        NOW,
      );
    },
    async runs(application: string, more: object = {}) {
      const state = anApplication({ application, cluster: CLUSTER, start: NOW - HOUR_MS, ...more });
      await ledger.ledgerWriter.settle(aSettlement({ applications: [state] }));
    },
    async point(
      measurement: string,
      fields: Record<string, number>,
      at: number,
      place: { readonly cluster?: string; readonly application?: string } = {},
    ) {
      const of = { cluster: CLUSTER, application: 'app-1', ...place };
      const tags = { project: ETL, ...of, query: 'q', run: 'r' };
      const entries = Object.entries(fields);
      const refs = entries.map(([field]) => metrics.writer.declare({ measurement, field, tags }));
      await metrics.writer.write(
        {
          series: Uint32Array.from(refs),
          at: new Float64Array(refs.length).fill(at),
          value: Float64Array.from(entries, ([, value]) => value),
          length: refs.length,
        },
        [],
      );
    },
    async [Symbol.asyncDispose]() {
      await metrics[Symbol.asyncDispose]();
      await ledger[Symbol.asyncDispose]();
    },
  };
}

/** A look each minute, from so many minutes ago up to now. */
const looksOf = (from: number, share: number, more: Partial<LoadFact> = {}) =>
  Array.from({ length: from + 1 }, (_, n) => loadFact(minutesAgo(n), share, more));

test('a cluster of which every look shows nothing held is idle since the first of them', async () => {
  await using it = await setUp();
  await it.looks(loadFact(minutesAgo(46), 0.2), ...looksOf(45, 0));
  const sights = await it.ask();
  assert.deepEqual(
    sights.map(({ signal, lastAt, asOf, complete }) => [signal, lastAt, asOf, complete]),
    ACTIVITY_SIGNALS.map((signal) => [signal, minutesAgo(45), NOW, true]),
  );
  assert.deepEqual(clusterIdleness(sights, CONTEXT), { state: 'idle', since: minutesAgo(45) });
});

test('what is held, wanted, or was not looked at ends the quiet, and another cluster’s looks count nothing', async () => {
  const busy: Partial<LoadFact>[] = [
    { allocated: { millicores: 0, memoryMib: 512, gpus: 0 } },
    { pending: { millicores: 1_000, memoryMib: 0, gpus: 0 } },
  ];
  for (const more of busy) {
    await using it = await setUp();
    await it.looks(...looksOf(60, 0).filter(({ at }) => at !== minutesAgo(10)));
    await it.looks(loadFact(minutesAgo(10), 0, more));
    const [sight] = await it.ask();
    assert.equal(sight?.lastAt, minutesAgo(9), JSON.stringify(more));
  }
  await using gap = await setUp();
  await gap.looks(
    ...looksOf(60, 0).filter(({ at }) => at >= minutesAgo(12) || at <= minutesAgo(18)),
  );
  assert.equal((await gap.ask())[0]?.lastAt, minutesAgo(12), 'anything may have run in the gap');
  assert.deepEqual(await gap.ask([], 'other'), []);
});

test('the quiet begins where the watch does, and is no longer than what is looked back', async () => {
  await using it = await setUp();
  await it.looks(...looksOf(5 * 60, 0));
  const [sight] = await it.ask();
  assert.equal(sight?.lastAt, NOW - 4 * HOUR_MS);
});

test('a cloud whose Spark holds its machines whatever it does tells no absence by its load', async () => {
  await using it = await setUp();
  await it.looks(...looksOf(60, 0, { witness: 'databricks' }));
  assert.deepEqual(await it.ask(), []);
});

test('an application that runs and holds nothing keeps the cluster unknown', async () => {
  await using it = await setUp();
  await it.looks(...looksOf(60, 0));
  await it.runs('app-1');
  const sights = await it.ask();
  assert.deepEqual(sights, []);
  assert.equal(clusterIdleness(sights, CONTEXT).state, 'unknown');
  await it.runs('app-1', { ended: NOW - HOUR_MS / 2 });
  assert.equal(clusterIdleness(await it.ask(), CONTEXT).state, 'idle');
});

test('a streaming query that has not ended is activity between its batches, and while it is silent', async () => {
  for (const [state, active] of [
    ['running', true],
    ['silent', true],
    ['terminated', false],
    ['failed', false],
  ] as const) {
    await using it = await setUp();
    await it.runs('app-1');
    await it.point('streaming_query', { state: queryStateCode(state) }, minutesAgo(90));
    await it.point('streaming_query', { state: 0 }, minutesAgo(1), { cluster: 'other' });
    await it.point('streaming_query', { state: 0 }, minutesAgo(1), { application: 'ended' });
    const sights = await it.ask();
    assert.deepEqual(
      sights.map(({ signal, lastAt, complete }) => [signal, lastAt, complete]),
      active ? [['streaming-queries', NOW, false]] : [],
      state,
    );
  }
});

test('the agent tells of jobs and stages, and never of their absence', async () => {
  await using it = await setUp();
  await it.runs('app-1');
  await it.point('spark_activity', { runningJobs: 1, runningStages: 0 }, minutesAgo(50));
  const sights = await it.ask();
  assert.deepEqual(
    sights.map(({ signal, lastAt, complete }) => [signal, lastAt, complete]),
    [
      ['jobs', NOW, false],
      ['stages', minutesAgo(50), false],
    ],
  );
});

test('what its owner says it never has is told by the configuration, and by nobody else', async () => {
  await using it = await setUp();
  const [sight, ...others] = await it.ask(['driver-work']);
  assert.deepEqual(others, []);
  assert.equal(sight?.source, 'neverHas of the configuration');
  assert.equal(sight?.complete, true);
  assert.equal(clusterIdleness(await it.ask(ACTIVITY_SIGNALS), CONTEXT).state, 'idle');
});

test('a watched cluster joins both words, and is unknown where the stores can’t be read', async () => {
  await using it = await setUp();
  await it.looks(...looksOf(45, 0));
  const own = { signal: 'jobs', lastAt: minutesAgo(40), asOf: NOW, complete: false } as const;
  const sight = {
    outcome: 'seen',
    state: 'running',
    name: 'etl',
    startedAt: CONTEXT.startedAt,
    owner: '',
    tags: {},
    market: 'unknown',
    protected: false,
    activity: [{ ...own, source: 'manager' }],
    at: NOW,
  } as const;
  const manager: TargetReader = {
    application: async () => ({ outcome: 'absent', at: NOW }),
    cluster: async () => sight,
  };
  const options = {
    cluster: CLUSTER,
    lookbackMs: HOUR_MS,
    neverHas: new Set<ActivitySignal>(),
    clock: new FakeClock(NOW),
  };
  const watched = new WatchedTargetReader({ ...options, reader: manager, sources: it.sources });
  const joined = await watched.cluster(NEVER);
  assert.ok(joined.outcome === 'seen');
  assert.equal(joined.activity.length, 1 + ACTIVITY_SIGNALS.length);
  const idle = clusterIdleness(joined.activity, CONTEXT);
  assert.deepEqual(idle, { state: 'idle', since: minutesAgo(40) });
  const loads = () => Promise.reject(new Error('the ledger is closed'));
  const sources = { ...it.sources, journal: { loads } };
  const blind = await new WatchedTargetReader({ ...options, reader: manager, sources }).cluster(
    NEVER,
  );
  assert.deepEqual(blind, {
    outcome: 'unknown',
    why: "what it does can't be read: the ledger is closed",
  });
  assert.equal((await watched.admission('root.etl', NEVER)).outcome, 'unknown');
  assert.equal((await watched.application('x', NEVER)).outcome, 'absent');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../shared/values/instant.ts';
import { T0 } from '../../../test/support/fact-builders.ts';
import { ETL } from '../../../test/support/ledger-builders.ts';
import { openSignalBench, type SignalBench, valuesBy } from '../../../test/support/signal-bench.ts';

const NOW = T0 + 12 * HOUR_MS;
type Fields = Readonly<Record<string, number>>;

const point = (secondsAgo: number, fields: Fields, query = 'q', run = 'r1') => ({
  at: NOW - secondsAgo * SECOND_MS,
  measurement: 'streaming_query',
  tags: {
    project: ETL,
    cluster: 'yarn-1',
    application: 'app-1',
    query,
    run,
    name: `${query}-name`,
  },
  fields,
});

async function open(): Promise<SignalBench> {
  const bench = await openSignalBench(NOW);
  await bench.ledger.grants.register(ETL);
  return bench;
}
const stream = (measure: string, more: object = {}) => ({ kind: 'stream', measure, ...more });

test('verdict, state and lag are those of the latest run of each query', async () => {
  await using bench = await open();
  await bench.points([
    point(100, { verdict: 2, state: 0, lag: 500 }, 'q', 'r1'),
    point(10, { verdict: 1, state: 0, lag: 50 }, 'q', 'r2'),
    point(20, { verdict: 0, state: 2, lag: 7 }, 'failed'),
    point(7_200, { verdict: 0, state: 1, last_batch_ms: NOW - 2 * HOUR_MS }, 'stopped'),
  ]);
  const read = async (measure: string, more: object = {}) =>
    valuesBy(await bench.samples(stream(measure, more)), 'query');
  assert.deepEqual(await read('verdict'), { q: 1, failed: 0 });
  assert.deepEqual(await read('state'), { q: 0, failed: 2 });
  assert.deepEqual(await read('lag'), { q: 50, failed: 7 });
  assert.deepEqual(await read('lag', { names: ['fail*'] }), { failed: 7 });
  assert.deepEqual(await read('lag', { clusters: ['lab'] }), {});
  const samples = await bench.samples(stream('verdict'));
  const sample = samples.find(({ labels }) => labels['query'] === 'q');
  assert.deepEqual(sample?.labels, {
    ...{ project: 'etl', cluster: 'yarn-1', query: 'q', name: 'q-name' },
  });
  assert.equal(sample?.annotations['verdict'], 'warn');
});

test('a moment of the past is read as it was then', async () => {
  await using bench = await open();
  await bench.points([
    point(3_600, { verdict: 2, lag: 5, state: 0 }),
    point(5, { verdict: 0, lag: 1 }),
  ]);
  assert.deepEqual(valuesBy(await bench.samples(stream('lag')), 'query'), { q: 1 });
  const then = await bench.samples(stream('lag'), NOW - 30 * MINUTE_MS);
  assert.deepEqual(valuesBy(then, 'query'), { q: 5 });
});

test('only what the collector calls silent is silent, since its last batch', async () => {
  await using bench = await open();
  await bench.points([
    point(60, { state: 3, last_batch_ms: NOW - 10 * MINUTE_MS }, 'silent'),
    point(3_000, { state: 0, last_batch_ms: NOW - 50 * MINUTE_MS }, 'idle'),
  ]);
  const samples = await bench.samples(stream('silence'));
  assert.deepEqual(valuesBy(samples, 'query'), { silent: 600, idle: 0 });
});

/** Triggers of these durations that begin each 10 s, or at once where one takes longer. */
function triggers(query: string, ms: readonly number[]) {
  let at = NOW - 10 * MINUTE_MS;
  return ms.map((duration) => {
    const end = at + duration;
    at = duration > 10_000 ? end : at + 10_000;
    return { ...point(0, { trigger_ms: duration, state: 0 }, query), at: end };
  });
}

test('the trigger interval is taken from when batches begin; without one there is no value', async () => {
  await using bench = await open();
  const slow = [...Array(20).fill(4_000), ...Array(24).fill(15_000)] as number[];
  await bench.points([
    ...triggers('slow', slow),
    ...triggers('fine', Array(50).fill(4_000) as number[]),
    ...triggers('asap', Array(20).fill(20_000) as number[]),
  ]);
  const samples = await bench.samples(stream('trigger-share', { window: '15m' }));
  assert.deepEqual(valuesBy(samples, 'query'), { slow: 1.5, fine: 0.4, asap: undefined });
  const fixed = await bench.samples(stream('trigger-share', { window: '15m', interval: '20s' }));
  assert.equal(valuesBy(fixed, 'query')['asap'], 1);
});

test('state growth compares the thirds of the window; small states and unfilled windows do not count', async () => {
  await using bench = await open();
  const rows = (query: string, of: (hour: number) => number, hours = 6) =>
    Array.from({ length: hours * 6 }, (_, i) => {
      const ago = i * 600;
      return point(ago, { state_rows: of(6 - ago / 3_600), state: 0 }, query);
    });
  await bench.points([
    ...rows('grows', (hour) => 100_000 * (1 + hour)),
    // What breathes with its watermark grows by nothing.
    ...rows('breathes', (hour) => 200_000 + 100_000 * (hour % 1)),
    ...rows('small', (hour) => 10 * (1 + hour)),
    ...rows('young', (hour) => 100_000 * (1 + hour), 1),
  ]);
  const samples = await bench.samples(stream('state-growth', { window: '6h' }));
  const values = valuesBy(samples, 'query');
  assert.ok((values['grows'] ?? 0) > 150);
  assert.ok(Math.abs(values['breathes'] ?? 99) < 10);
  assert.equal(values['small'], 0);
  assert.equal(values['young'], undefined);
});

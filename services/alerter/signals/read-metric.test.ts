import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MINUTE_MS, SECOND_MS } from '../../../shared/values/instant.ts';
import { T0 } from '../../../test/support/fact-builders.ts';
import { ETL, ML } from '../../../test/support/ledger-builders.ts';
import { openSignalBench, type SignalBench, valuesBy } from '../../../test/support/signal-bench.ts';

const heap = (secondsAgo: number, used: number, tags: Record<string, string> = {}, max = 100) => ({
  at: T0 - secondsAgo * SECOND_MS,
  measurement: 'jvm',
  tags: { project: ETL, cluster: 'yarn-1', application: 'a', executor: '1', ...tags },
  fields: { 'heap.used': used, 'heap.max': max },
});
const ask = (more: object) => ({
  ...{ kind: 'metric', measurement: 'jvm', field: 'heap.used', window: '5m', function: 'last' },
  ...more,
});

async function bench(): Promise<SignalBench> {
  const opened = await openSignalBench(T0);
  for (const project of [ETL, ML]) await opened.ledger.grants.register(project);
  await opened.points([
    heap(400, 1_000),
    heap(120, 10),
    heap(60, 30),
    heap(0, 20),
    heap(30, 70, { executor: '2' }),
    heap(30, 5, { project: ML, application: 'b' }),
    heap(20, 50, { application: 'full' }, 0),
  ]);
  return opened;
}

test('each function takes the points of the window alone', async () => {
  await using opened = await bench();
  const tags = { application: 'a', executor: '1' };
  const of = async (fn: string) =>
    (await opened.samples(ask({ function: fn, tags, projects: [ETL] })))[0]?.value;
  const found = [];
  for (const fn of ['last', 'mean', 'min', 'max', 'sum', 'count']) found.push(await of(fn));
  assert.deepEqual(found, [20, 20, 10, 30, 60, 3]);
  // A counter that went from 30 to 20 began anew.
  assert.equal(await of('increase'), 40);
  assert.equal(Math.round(((await of('slope')) ?? 0) * 1_000), Math.round((10 / 120) * 1_000));
});

test('tags make subjects, over all projects or those named', async () => {
  await using opened = await bench();
  const by = ask({ by: ['application'], combine: 'sum' });
  assert.deepEqual(valuesBy(await opened.samples(by), 'project', 'application'), {
    'etl/a': 90,
    'etl/full': 50,
    'ml/b': 5,
  });
  const mine = ask({ by: ['application'], projects: [ML] });
  assert.deepEqual(valuesBy(await opened.samples(mine), 'application'), { b: 5 });
  const whole = ask({ by: [], combine: 'max' });
  assert.deepEqual(valuesBy(await opened.samples(whole), 'project'), { etl: 70, ml: 5 });
  const [sample] = await opened.samples(by);
  assert.deepEqual(sample?.target, {
    ...{ kind: 'application', cluster: '', id: 'a', startedAt: undefined },
  });
});

test('a divisor is a number or a field; by zero there is no value', async () => {
  await using opened = await bench();
  const share = ask({ by: ['application'], divisor: { field: 'heap.max' } });
  const samples = await opened.samples(share);
  assert.deepEqual(valuesBy(samples, 'application'), { a: 0.7, full: undefined, b: 0.05 });
  assert.equal(
    samples.find(({ labels }) => labels['application'] === 'full')?.why,
    'divided by zero',
  );
  const half = await opened.samples(ask({ by: [], divisor: 2, projects: [ML] }));
  assert.equal(half[0]?.value, 2.5);
  const missing = ask({ by: [], divisor: { field: 'none' }, projects: [ML] });
  assert.match((await opened.samples(missing))[0]?.why ?? '', /no points in the window/);
});

test('a series that ends is gone when its points have left the window, and nothing is stale', async () => {
  await using opened = await bench();
  const reading = await opened.read(ask({ by: ['application'] }), T0 + 4 * MINUTE_MS + 1);
  assert.ok(reading.outcome === 'answered');
  assert.equal(reading.complete, true);
  assert.equal(reading.watermark, T0);
  const later = await opened.samples(ask({ by: ['application'] }), T0 + 20 * MINUTE_MS);
  assert.deepEqual(later, []);
});

test('more subjects than the rule allows are a failed reading, never a part', async () => {
  await using opened = await openSignalBench(T0);
  await opened.ledger.grants.register(ETL);
  await opened.points(
    Array.from({ length: 1_001 }, (_, i) => heap(1, i, { application: `app-${i}` })),
  );
  const reading = await opened.read(ask({}));
  assert.ok(reading.outcome === 'failed');
  assert.match(reading.why, /1001 subjects, and the rule allows 1000/);
});

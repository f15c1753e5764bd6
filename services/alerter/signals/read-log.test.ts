import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS, MINUTE_MS } from '../../../shared/values/instant.ts';
import { applicationFact, containerFact, T0 } from '../../../test/support/fact-builders.ts';
import { ETL, ML } from '../../../test/support/ledger-builders.ts';
import { openSignalBench, type SignalBench, valuesBy } from '../../../test/support/signal-bench.ts';

const NOW = T0;
const log = (measure: string, more: object = {}) => ({ kind: 'log', measure, ...more });
const line = (minutesAgo: number, more: object = {}) => ({
  ...{ at: NOW - minutesAgo * MINUTE_MS, project: ETL, cluster: 'yarn-1', application: 'a' },
  ...{ level: 'ERROR' as const, message: 'java.lang.OutOfMemoryError: Java heap space' },
  ...more,
});
const times = (count: number, minutesAgo: number, more: object = {}) =>
  Array.from({ length: count }, () => line(minutesAgo, more));

async function open(): Promise<SignalBench> {
  const bench = await openSignalBench(NOW);
  for (const project of [ETL, ML]) await bench.ledger.grants.register(project);
  return bench;
}

test('lines of the window count by application or project, with the newest as an example', async () => {
  await using bench = await open();
  await bench.lines([
    ...times(3, 4),
    line(30),
    line(2, { application: 'b', message: 'java.lang.OutOfMemoryError: newest\u202e\n\tat x' }),
    line(2, { level: 'WARN' }),
    line(2, { message: 'other' }),
    line(3, { project: ML, application: 'm' }),
  ]);
  const oom = log('count', { text: 'java.lang.OutOfMemoryError', level: 'ERROR', window: '10m' });
  const samples = await bench.samples(oom);
  assert.deepEqual(valuesBy(samples, 'project', 'application'), {
    ...{ 'etl/a': 3, 'etl/b': 1, 'ml/m': 1 },
  });
  const all = await bench.samples({ ...oom, by: 'project' });
  assert.deepEqual(valuesBy(all, 'project'), { etl: 4, ml: 1 });
  assert.equal(all[0]?.annotations['example'], 'java.lang.OutOfMemoryError: newest at x');
  assert.deepEqual(valuesBy(await bench.samples({ ...oom, application: 'b' }), 'application'), {
    b: 1,
  });
});

test('a spike needs both windows filled and enough lines', async () => {
  await using bench = await open();
  const spike = log('spike', { window: '10m', minimum: 5, by: 'application' });
  await bench.lines([
    ...[...times(12, 5), ...times(4, 15), line(30)],
    ...times(12, 5, { application: 'new' }),
    ...[...times(4, 5, { application: 'few' }), line(30, { application: 'few' })],
    ...[...times(6, 5, { application: 'first' }), line(30, { application: 'first' })],
  ]);
  const samples = await bench.samples(spike);
  assert.deepEqual(valuesBy(samples, 'application'), { a: 3, new: undefined, few: 0, first: 6 });
  assert.equal(
    samples.find(({ value }) => value === undefined)?.why,
    'the window before is not filled yet',
  );
});

test('a message is new when the lookback has not seen it, and a project has learnt', async () => {
  await using bench = await open();
  const print = (digit: string) => ({ fingerprint: digit.repeat(16) });
  const fresh = log('new-fingerprint', {
    ...{ window: '10m', lookback: '7d', learning: '1h', level: 'ERROR' },
  });
  await bench.lines([
    ...[line(120, print('1')), line(5, print('1'))],
    ...times(2, 5, print('2')),
    line(5, { ...print('3'), level: 'INFO' }),
    line(5, { ...print('4'), project: ML }),
  ]);
  const read = async (at: number) =>
    valuesBy(await bench.samples(fresh, at), 'project', 'fingerprint');
  assert.deepEqual(await read(NOW), { 'etl/2222222222222222': 2 });
  // The same again: what is known is remembered, and what is new is still new.
  assert.deepEqual(await read(NOW), { 'etl/2222222222222222': 2 });
  await bench.lines([line(-20, print('2'))]);
  bench.now = NOW + 30 * MINUTE_MS;
  assert.deepEqual(await read(NOW + 25 * MINUTE_MS), {});
  // After eight days the first message is forgotten, and new again.
  bench.now = NOW + 9 * DAY_MS;
  await bench.lines([line(-8 * 24 * 60 - 5, print('1')), line(-3 * 24 * 60, print('5'))]);
  assert.deepEqual(await read(NOW + 8 * DAY_MS + 10 * MINUTE_MS), { 'etl/1111111111111111': 1 });
});

test('absence is the time since the last line, of what runs or of a project that had one', async () => {
  await using bench = await open();
  const start = NOW - 60 * MINUTE_MS;
  await bench.tell(
    ['quiet', 'never'].flatMap((application) => [
      applicationFact('application-seen', start, { application }),
      containerFact('container-started', start, { application, container: application }),
    ]),
  );
  await bench.lines([line(25, { application: 'quiet' }), line(5, { application: 'over' })]);
  const absent = log('absence', { lookback: '2h' });
  assert.deepEqual(valuesBy(await bench.samples(absent), 'application'), {
    ...{ quiet: 25 * 60, never: 60 * 60 },
  });
  const projects = await bench.samples({ ...absent, by: 'project' });
  assert.deepEqual(valuesBy(projects, 'project'), { etl: 5 * 60 });
});

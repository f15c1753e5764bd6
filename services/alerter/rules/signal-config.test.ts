import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { signalConfig } from './signal-config.ts';

function problemsOf(written: unknown): string[] {
  const { error } = signalConfig.safeParse(written);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

test('a signal is read with its durations in ms and its defaults', () => {
  const written = { kind: 'log', measure: 'new-fingerprint', window: '10m', lookback: '7d' };
  assert.deepEqual(signalConfig.parse(written), {
    ...written,
    by: 'project',
    window: 600_000,
    lookback: 604_800_000,
    learning: 3_600_000,
  });
});

test('all problems of a signal are told at once', () => {
  const problems = problemsOf({
    kind: 'application',
    measure: 'idle',
    lookback: 'a day',
    projects: ['Not A Project'],
    threshold: 1,
  });
  assert.deepEqual(problems, [
    `projects.0: "Not A Project" can't be a project's id`,
    'lookback: must be a duration such as 90s, 5m, 1h30m or 7d',
    ': Unrecognized key: "threshold"',
  ]);
});

test('a measure or a kind that does not exist is told with those that do', () => {
  assert.match(problemsOf({ kind: 'price', measure: 'x' })[0] ?? '', /Unrecognized key: "measure"/);
  assert.match(problemsOf({ kind: 'stream', measure: 'latency' })[0] ?? '', /'verdict' \| 'state'/);
  assert.match(problemsOf({ kind: 'cpu' })[0] ?? '', /'metric' \| 'log'/);
});

test('a division by zero is refused when a rule is read', () => {
  const metric = { kind: 'metric', measurement: 'jvm', field: 'heap.used', function: 'last' };
  const problems = problemsOf({ ...metric, window: '5m', divisor: 0 });
  assert.match(problems.join('\n'), /divisor/);
  assert.deepEqual(problemsOf({ ...metric, window: '5m', divisor: { field: 'heap.max' } }), []);
});

test('the JSON schema shows durations and defaults as they are written', () => {
  const schema = JSON.stringify(z.toJSONSchema(signalConfig, { io: 'input' }));
  assert.match(schema, /"default":"1h"/);
  assert.doesNotMatch(schema, /"default":3600000/);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { removalTime } from './removal-time.ts';

const KILLED = 'Executor killed by driver.';
const STANDALONE = ['spark.master', 'spark://m:7077'] as const;
const from = (configuration: ReadonlyMap<string, string>, sparkVersion = '3.5.8') => ({
  sparkVersion,
  configuration: new Map(configuration),
});
const DELAY = 'spark.standalone.executorRemoveDelayOnDisconnection';

test('an executor that the driver let go on a standalone cluster ended before the driver’s wait', () => {
  assert.equal(removalTime(100_000, KILLED, from(new Map([STANDALONE]))), 95_000);
  const left = 'Remote RPC client disassociated. Likely due to containers exceeding thresholds';
  assert.equal(removalTime(100_000, left, from(new Map([STANDALONE]))), 95_000);
});

test('the wait is what the application configured', () => {
  for (const [text, ms] of [
    ['200ms', 200],
    ['7', 7_000],
    ['7s', 7_000],
    ['1m', 60_000],
    ['1min', 60_000],
    ['1h', 3_600_000],
    ['soon', 5_000],
  ] as const) {
    const configuration = new Map([STANDALONE, [DELAY, text] as const]);
    assert.equal(removalTime(100_000, KILLED, from(configuration)), 100_000 - ms, text);
  }
});

test('a removal that the master explained, or of another manager, stands as it is', () => {
  const explained = 'Command exited with code 137';
  assert.equal(removalTime(100_000, explained, from(new Map([STANDALONE]))), 100_000);
  assert.equal(removalTime(100_000, KILLED, from(new Map([['spark.master', 'yarn']]))), 100_000);
  assert.equal(removalTime(100_000, KILLED, from(new Map())), 100_000);
});

test('a Spark without that wait, before 3.4, is taken at its word', () => {
  for (const [version, ms] of [
    ['3.3.4', 0],
    ['2.4.8', 0],
    ['', 0],
    ['3.4.0', 5_000],
    ['4.1.2', 5_000],
  ] as const) {
    const told = removalTime(100_000, KILLED, from(new Map([STANDALONE]), version));
    assert.equal(told, 100_000 - ms, version);
  }
});

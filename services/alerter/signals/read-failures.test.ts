import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApplicationEnding } from '../../../shared/contracts/container-fact.ts';
import { HOUR_MS, MINUTE_MS } from '../../../shared/values/instant.ts';
import { applicationFact, containerFact, T0 } from '../../../test/support/fact-builders.ts';
import { ETL } from '../../../test/support/ledger-builders.ts';
import { openSignalBench, type SignalBench, valuesBy } from '../../../test/support/signal-bench.ts';

const NOW = T0 + 5 * HOUR_MS;
const FAILED = { kind: 'application', measure: 'failed', window: '1h', lines: 2 };

async function ended(
  bench: SignalBench,
  [application, minutesAgo]: readonly [string, number],
  ending: ApplicationEnding | undefined,
): Promise<void> {
  const of = { application, witness: 'yarn' as const };
  const container = { ...of, container: `${application}/c` };
  const at = NOW - minutesAgo * MINUTE_MS;
  await bench.tell([
    applicationFact('application-seen', T0, of),
    containerFact('container-started', T0, container),
    containerFact('container-stopped', at, container),
    applicationFact('application-ended', at, { ...of, ...(ending && { ending }) }),
  ]);
}

const failed = (reason: string): ApplicationEnding => ({ outcome: 'failed', reason, exitCode: 13 });
const succeeded: ApplicationEnding = { outcome: 'succeeded', reason: '' };

test('a failure is told once an application, with its cause, its exit, its lines and its cost', async () => {
  await using bench = await openSignalBench(NOW);
  await ended(bench, ['bad', 10], failed('User class threw exception: org.X: boom'));
  await ended(bench, ['good', 10], succeeded);
  await ended(bench, ['killed', 10], { outcome: 'killed', reason: 'by admin' });
  await ended(bench, ['untold', 10], undefined);
  await ended(bench, ['long ago', 70], failed('x'));
  const line = (minutesAgo: number, message: string, more: object = {}) => ({
    ...{ project: ETL, application: 'bad', at: NOW - minutesAgo * MINUTE_MS, message, ...more },
  });
  await bench.lines([
    line(12, 'java.io.IOException: disk\n\tat a.b\nCaused by: java.net.ConnectException: refused', {
      ...{ level: 'ERROR', container: 'driver' },
    }),
    line(11, 'java.lang.InterruptedException: shutdown noise', { level: 'ERROR', container: '7' }),
    line(11, 'stopping\u0007 now'),
  ]);
  const samples = await bench.samples(FAILED);
  assert.deepEqual(valuesBy(samples, 'application'), { bad: 1 });
  const { annotations, cost } = samples[0] ?? assert.fail();
  assert.equal(annotations['root_cause'], 'java.net.ConnectException: refused');
  assert.equal(annotations['exit_reason'], 'User class threw exception: org.X: boom');
  assert.equal(annotations['exit_code'], '13');
  assert.equal(annotations['lost_credits'], cost?.soFar);
  assert.ok(Number(cost?.soFar) > 0);
  assert.match(
    annotations['last_lines'] ?? '',
    /^ERROR java.lang.Interr.*\nINFO stopping {1,2}now$|stopping/,
  );
});

test('failures in a row count until a success; a kill is neither', async () => {
  await using bench = await openSignalBench(NOW);
  const signal = { kind: 'application', measure: 'failures', window: '1d' };
  await ended(bench, ['a1', 90], failed('one'));
  await ended(bench, ['a2', 80], succeeded);
  await ended(bench, ['a3', 70], failed('two'));
  await ended(bench, ['a4', 60], { outcome: 'killed', reason: '' });
  await ended(bench, ['a5', 50], failed('three'));
  const [sample] = await bench.samples(signal);
  assert.equal(sample?.value, 2);
  assert.deepEqual(sample?.labels, { project: 'etl', cluster: 'yarn-1', name: 'nightly etl' });
  assert.deepEqual(
    [sample?.annotations['last_application'], sample?.annotations['last_reason']],
    ['a5', 'three'],
  );
  await ended(bench, ['a6', 5], succeeded);
  assert.equal((await bench.samples(signal))[0]?.value, 0);
});

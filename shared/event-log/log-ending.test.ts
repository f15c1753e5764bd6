import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  applicationEnd,
  applicationStart,
  environment,
  jobEnd,
} from '../../test/support/event-log-lines.ts';
import { UNATTRIBUTED } from '../values/project-id.ts';
import { EventLogReader } from './event-log-reader.ts';
import { EventLogLines } from './read-event-log.ts';

/** How the log's last fact says that it ended, with the end of that fact's id. */
function endingOf(lines: readonly string[]) {
  const log = new EventLogReader({
    cluster: 'c',
    attribute: () => ({ project: UNATTRIBUTED, rule: 1 }),
    fallback: { application: 'from-name', attempt: '' },
  });
  const split = new EventLogLines(log);
  const start = [environment({ 'spark.master': 'yarn' }), applicationStart(100)];
  split.push(Buffer.from(`${[...start, ...lines].join('\n')}\n`));
  split.end();
  log.finish('over');
  const fact = log.takeFacts().findLast(({ kind }) => kind === 'application-ended');
  assert.ok(fact?.kind === 'application-ended');
  return [fact.ending, fact.id.slice(fact.id.indexOf('/application/') + 13)];
}

test('an exit code tells success and failure', () => {
  assert.deepEqual(endingOf([applicationEnd(200, { ExitCode: 0 })]), [
    { outcome: 'succeeded', reason: '', exitCode: 0 },
    'ended/succeeded',
  ]);
  assert.deepEqual(endingOf([jobEnd(150), applicationEnd(200, { ExitCode: 137 })]), [
    { outcome: 'failed', reason: 'exit code 137', exitCode: 137 },
    'ended/failed',
  ]);
});

test('without an exit code a failure is told by the last job, and no success at all', () => {
  assert.deepEqual(endingOf([jobEnd(150, 'Job aborted: boom'), applicationEnd(200)]), [
    { outcome: 'failed', reason: 'Job aborted: boom' },
    'ended/failed',
  ]);
  assert.deepEqual(endingOf([jobEnd(150, 'boom'), jobEnd(160), applicationEnd(200)]), [
    undefined,
    'ended',
  ]);
});

test('a job that failed and an exit without failure is a success', () => {
  assert.deepEqual(endingOf([jobEnd(150, 'boom'), applicationEnd(200, { ExitCode: 0 })])[0], {
    outcome: 'succeeded',
    reason: '',
    exitCode: 0,
  });
});

test('a log that just stops tells nothing of how it ended', () => {
  assert.deepEqual(endingOf([jobEnd(150, 'boom')]), [undefined, 'ended-inferred/150']);
});

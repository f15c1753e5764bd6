import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anAction, NOW } from '../../../test/support/enforcement-builders.ts';
import { outcomeNotifications } from './outcome-notification.ts';

const texts = (more: Parameters<typeof anAction>[0]) =>
  outcomeNotifications(anAction(more), NOW).map(({ text }) => text);

test('who had the announcement is told what an action came to, once for each state', () => {
  const [done] = texts({ state: 'verified' });
  assert.equal(
    done,
    'kill of application application_1_0001 by policy runaway was done, and seen to be.',
  );
  const [off] = texts({ state: 'aborted', reason: 'exempt', detail: 'until Monday' });
  assert.match(off ?? '', /was called off \(exempt: until Monday\)\.$/);
  assert.match(texts({ state: 'unknown' })[0] ?? '', /look, then resolve it/);
  const both = outcomeNotifications(anAction({ state: 'failed', announceTo: ['a', 'b'] }), NOW);
  assert.deepEqual(
    both.map(({ id, reason }) => [id, reason]),
    [
      ['act-1/failed/a', 'action-taken'],
      ['act-1/failed/b', 'action-taken'],
    ],
  );
});

test('nothing is told of what goes on, was never announced, or was a message alone', () => {
  for (const state of ['proposed', 'announced', 'intended', 'asked', 'reversing'] as const) {
    assert.deepEqual(texts({ state }), [], state);
  }
  assert.deepEqual(texts({ state: 'aborted', announcedAt: undefined }), []);
  assert.deepEqual(texts({ state: 'verified', means: 'none' }), []);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApplicationFact } from '../../../shared/contracts/container-fact.ts';
import { applicationFact, T0 } from '../../../test/support/fact-builders.ts';
import { applicationEnding } from './application-ending.ts';

const fact = (
  witness: ApplicationFact['witness'],
  outcome: 'succeeded' | 'failed' | 'killed',
  more: { readonly reason?: string; readonly exitCode?: number } = {},
) =>
  applicationFact('application-ended', T0, { witness, ending: { outcome, reason: '', ...more } });

test('the worst word stands: a master may say FINISHED after a kill', () => {
  const both = [fact('standalone', 'succeeded'), fact('event-log', 'failed', { exitCode: 137 })];
  assert.deepEqual(applicationEnding(both), { outcome: 'failed', reason: '', exitCode: 137 });
  assert.equal(applicationEnding([fact('yarn', 'killed')])?.outcome, 'killed');
});

test('what a log only concludes from its last job counts where nobody else tells', () => {
  const concluded = fact('event-log', 'failed', { reason: 'Job aborted' });
  assert.equal(applicationEnding([concluded, fact('yarn', 'succeeded')])?.outcome, 'succeeded');
  assert.deepEqual(applicationEnding([concluded]), { outcome: 'failed', reason: 'Job aborted' });
  const manager = fact('yarn', 'failed', { reason: 'x' });
  assert.equal(applicationEnding([concluded, manager])?.reason, 'Job aborted');
});

test('nobody tells: not known', () => {
  assert.equal(applicationEnding([applicationFact('application-ended', T0)]), undefined);
  assert.equal(applicationEnding([]), undefined);
});

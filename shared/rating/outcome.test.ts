import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applicationFact, containerFact, T0 } from '../../test/support/fact-builders.ts';
import type { ContainerFact } from '../contracts/container-fact.ts';
import { FULL_PRICE, outcomeOf, outcomePercent, printOutcome } from './outcome.ts';

const life = { role: 'executor', attempt: '1', coverage: 'exact' } as const;
const none = { facts: [], attempts: ['1'] };
const stop = (reason: string, more: Partial<ContainerFact> = {}) =>
  containerFact('container-stopped', T0, { reason, ...more });

test('a container that its manager took back was preempted, in every manager’s words', () => {
  for (const reason of [
    'Container container_1 on host: h1 was preempted.',
    'Container preempted by scheduler',
    'exit status -102',
    'The executor with id 3 was evicted',
    'spot instance interruption',
  ]) {
    assert.equal(outcomeOf(life, [stop(reason)], none), 'preempted', reason);
  }
  assert.equal(outcomeOf(life, [stop('exit status -100')], none), '');
  assert.equal(outcomeOf(life, [stop('inferred: gone, preempted?')], none), '');
  assert.equal(outcomeOf({ ...life, coverage: 'open' }, [stop('preempted')], none), '');
});

test('an executor that nobody saw at work never ran, once its application was told to the end', () => {
  const granted = [containerFact('container-started', T0, { witness: 'yarn' })];
  const ended = (witness: 'yarn' | 'event-log') => ({
    ...none,
    facts: [applicationFact('application-ended', T0, { witness })],
  });
  assert.equal(outcomeOf(life, granted, ended('event-log')), 'never-run');
  assert.equal(outcomeOf(life, granted, ended('yarn')), '', 'a manager sees no work');
  assert.equal(outcomeOf(life, granted, none), '');
  const worked = [...granted, containerFact('container-started', T0)];
  assert.equal(outcomeOf(life, worked, ended('event-log')), '');
  const unused = stop('Container expired since it was unused', { witness: 'yarn' });
  assert.equal(outcomeOf(life, [unused], none), 'never-run');
  assert.equal(outcomeOf({ ...life, role: 'driver' }, granted, ended('event-log')), '');
});

test('masters and attempts that were tried again stand apart', () => {
  assert.equal(outcomeOf({ ...life, role: 'application-master' }, [], none), 'application-master');
  const twice = { facts: [], attempts: ['1', '2'] };
  assert.equal(outcomeOf(life, [], twice), 'retried-attempt');
  assert.equal(outcomeOf({ ...life, attempt: '2' }, [], twice), '');
  assert.equal(outcomeOf({ ...life, attempt: '' }, [], twice), '');
});

test('a charge says which policy priced it, and how', () => {
  assert.equal(printOutcome('preempted', FULL_PRICE), '');
  assert.equal(printOutcome('retried-attempt', { ...FULL_PRICE, preempted: 0 }), '');
  const printed = printOutcome('preempted', { ...FULL_PRICE, preempted: 40 });
  assert.equal(printed, 'preempted 40');
  assert.equal(outcomePercent(printed), 40);
  assert.deepEqual(['', 'x', 'never-run 0'].map(outcomePercent), [100, 100, 0]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { applicationFact, T0 } from '../../test/support/fact-builders.ts';
import { NO_RULE } from '../contracts/container-fact.ts';
import type { ProjectId } from '../values/project-id.ts';
import { applicationIdentity, attemptEnd } from './application-identity.ts';

const REF = { cluster: 'yarn-1', application: 'app-1' };
const ML = 'ml' as ProjectId;

test('the project and tags are those of the lowest rule, of equals those of the smallest id', () => {
  const facts = [
    applicationFact('application-seen', T0, { id: 'b', rule: 2, project: 'late' as ProjectId }),
    applicationFact('application-seen', T0 + 9, { id: 'd', rule: 1 }),
    applicationFact('application-seen', T0 + 5, {
      id: 'c',
      rule: 1,
      project: ML,
      tags: { stage: 'test' },
    }),
  ];
  const identity = applicationIdentity(REF, facts, T0);
  assert.equal(identity.project, 'ml');
  assert.deepEqual(identity.tags, { stage: 'test' });
});

test('what no rule matched, or nobody has told of, is unattributed', () => {
  const unmatched = applicationFact('application-seen', T0, { rule: NO_RULE });
  assert.equal(applicationIdentity(REF, [unmatched], T0).project, 'unattributed');
  const unknown = applicationIdentity(REF, [], T0 + 7);
  assert.deepEqual(
    [unknown.project, unknown.start, unknown.ended],
    ['unattributed', T0 + 7, undefined],
  );
});

test('names come from the first fact that has one, the page from the last', () => {
  const facts = [
    applicationFact('application-seen', T0 + 2, { queue: 'late', url: 'http://two' }),
    applicationFact('application-seen', T0, { id: 'a', queue: '', url: 'http://one' }),
    applicationFact('application-ended', T0 + 3, { id: 'z', url: '', name: 'renamed' }),
  ];
  const identity = applicationIdentity(REF, facts, T0);
  assert.deepEqual(
    [identity.queue, identity.name, identity.url, identity.start],
    ['late', 'nightly etl', 'http://two', T0],
  );
});

test('an application is over with its last attempt, not with an earlier one', () => {
  const first = applicationFact('application-seen', T0);
  const failed = applicationFact('application-ended', T0 + 10);
  const second = applicationFact('application-seen', T0 + 20, { attempt: '2' });
  assert.equal(applicationIdentity(REF, [first, failed], T0).ended, T0 + 10);
  assert.equal(applicationIdentity(REF, [first, failed, second], T0).ended, undefined);
  const done = applicationFact('application-ended', T0 + 30, { attempt: '2' });
  const all = [first, failed, second, done];
  assert.equal(applicationIdentity(REF, all, T0).ended, T0 + 30);
  assert.deepEqual(applicationIdentity(REF, all, T0).attempts, ['1', '2']);
  assert.equal(attemptEnd(all, '1'), T0 + 10);
});

test('an end without an attempt ends every attempt', () => {
  const whole = applicationFact('application-ended', T0 + 30, { attempt: '' });
  assert.equal(attemptEnd([whole], '7'), T0 + 30);
  const trusted = applicationFact('application-ended', T0 + 40, { witness: 'agent', attempt: '' });
  assert.equal(attemptEnd([whole, trusted], '7'), T0 + 40);
});

test('the order of facts is nothing', () => {
  const fact = fc
    .record({
      at: fc.nat(3),
      rule: fc.nat(2),
      attempt: fc.constantFrom('', '1', '2'),
      id: fc.nat(99),
    })
    .map(({ at, rule, attempt, id }) =>
      applicationFact(id % 3 === 0 ? 'application-ended' : 'application-seen', T0 + at, {
        id: `${id}`,
        rule,
        attempt,
        project: `p${id}` as ProjectId,
      }),
    );
  const facts = fc.uniqueArray(fact, { selector: ({ id }) => id, maxLength: 8 });
  fc.assert(
    fc.property(facts, (list) => {
      assert.deepEqual(
        applicationIdentity(REF, list.toReversed(), T0),
        applicationIdentity(REF, list, T0),
      );
    }),
  );
});

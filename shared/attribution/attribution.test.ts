import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NO_RULE } from '../contracts/container-fact.ts';
import { type AttributionSubject, attributeApplication } from './attribute-application.ts';
import { attributionRules } from './attribution-rules.ts';
import { matchGlob } from './match-glob.ts';

const subject = (given: Partial<AttributionSubject> = {}): AttributionSubject => ({
  user: 'alice',
  queue: 'root.etl',
  name: 'Nightly load',
  configuration: new Map([
    ['spark.tollgate.project', 'Payments'],
    ['spark.yarn.tags', 'x'],
  ]),
  tags: { Tenant: 'acme', CostCenter: '4711' },
  ...given,
});
const attribute = (rules: unknown, given: Partial<AttributionSubject> = {}) =>
  attributeApplication(attributionRules.parse(rules), subject(given));

test('the first rule that matches wins, whatever comes after it', () => {
  const rules = [
    { user: 'bob', project: 'a' },
    { queue: 'root.*', project: 'b' },
    { user: 'alice', project: 'c' },
  ];
  assert.deepEqual(attribute(rules), { project: 'b', rule: 1 });
  assert.deepEqual(attribute(rules, { user: 'bob' }), { project: 'a', rule: 0 });
});

test('what no rule matches is unattributed', () => {
  assert.deepEqual(attribute([]), { project: 'unattributed', rule: NO_RULE });
  assert.deepEqual(attribute([{ user: 'bob', project: 'a' }]), {
    project: 'unattributed',
    rule: NO_RULE,
  });
});

test('every condition of a rule must match', () => {
  const rules = [{ user: 'alice', name: 'Daily*', project: 'a' }];
  assert.equal(attribute(rules).rule, NO_RULE);
  assert.equal(attribute(rules, { name: 'Daily load' }).rule, 0);
});

test('configuration keys and tags are conditions; a missing key matches nothing, not even *', () => {
  assert.equal(attribute([{ tags: { Tenant: 'ac*' }, project: 'a' }]).project, 'a');
  assert.equal(attribute([{ tags: { Stage: '*' }, project: 'a' }]).rule, NO_RULE);
  assert.equal(attribute([{ configuration: { 'spark.yarn.tags': 'x' }, project: 'a' }]).rule, 0);
  assert.equal(attribute([{ configuration: { missing: '*' }, project: 'a' }]).rule, NO_RULE);
});

test('a project taken from the configuration is cleaned, and a useless one matches nothing', () => {
  const rules = [
    { projectFromConfiguration: 'spark.tollgate.project' },
    { user: '*', project: 'rest' },
  ];
  assert.deepEqual(attribute(rules), { project: 'payments', rule: 0 });
  for (const value of ['', 'no project!', '__proto__', 'unattributed', 'x'.repeat(100)]) {
    const configuration = new Map([['spark.tollgate.project', value]]);
    assert.deepEqual(attribute(rules, { configuration }), { project: 'rest', rule: 1 }, value);
  }
});

test('a claimed project counts only where the user or the queue may use it', () => {
  const claimants = [
    { project: 'payments', users: ['svc-pay-*'], queues: ['root.pay.*'] },
    { project: 'secret-*' },
  ];
  const rules = [
    { projectFromConfiguration: 'spark.tollgate.project', claimants },
    { queue: 'root.*', project: 'rest' },
  ];
  const refused = { project: 'unattributed', rule: 0, claimed: 'payments' };
  assert.deepEqual(attribute(rules), refused, 'no later rule takes it');
  assert.deepEqual(attribute(rules, { user: 'svc-pay-1' }), { project: 'payments', rule: 0 });
  assert.deepEqual(attribute(rules, { queue: 'root.pay.x' }), { project: 'payments', rule: 0 });
  const named = (project: string) =>
    attribute(rules, { configuration: new Map([['spark.tollgate.project', project]]) });
  assert.equal(named('secret-1').claimed, 'secret-1', 'nobody may claim it');
  assert.deepEqual(named('open'), { project: 'open', rule: 0 });
});

test('a project that a tag gives is a claim like any other', () => {
  const claimants = [{ project: '*', users: ['bob'] }];
  const rules = [{ tags: { Tenant: 'acme' }, project: 'acme', claimants }];
  assert.equal(attribute(rules).claimed, 'acme');
  assert.equal(attribute(rules, { user: 'bob' }).project, 'acme');
});

test('names of prototypes are keys like any other', () => {
  const rules = [{ tags: { constructor: '*' }, project: 'a' }];
  assert.equal(attribute(rules).rule, NO_RULE);
  assert.equal(attribute([{ configuration: { toString: '*' }, project: 'a' }]).rule, NO_RULE);
});

test('a rule says what is wrong with it', () => {
  const problem = (rule: unknown): string =>
    attributionRules
      .safeParse([rule])
      .error?.issues.map(({ message }) => message)
      .join('; ') ?? '';
  assert.match(problem({ user: 'a' }), /either project or projectFromConfiguration/);
  assert.match(problem({ project: 'a', projectFromConfiguration: 'b' }), /either project/);
  assert.match(problem({ project: 'not a project' }), /is no project id/);
  assert.match(problem({ project: 'a', usr: 'x' }), /usr/);
});

test('globs agree with the regular expression that they stand for', () => {
  const piece = fc.constantFrom('a', 'b', '.', '*', '?', 'é');
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 8 }),
      fc.array(fc.constantFrom('a', 'b', '.', 'é'), { maxLength: 10 }),
      (pattern, text) => {
        const expression = pattern
          .map((part) => (part === '*' ? '[^]*' : part === '?' ? '[^]' : part.replace('.', '\\.')))
          .join('');
        const expected = new RegExp(`^${expression}$`).test(text.join(''));
        assert.equal(matchGlob(pattern.join(''), text.join('')), expected);
      },
    ),
  );
});

test('a pattern made to backtrack is answered at once', () => {
  assert.equal(matchGlob(`${'*a'.repeat(200)}b`, 'a'.repeat(10_000)), false);
});

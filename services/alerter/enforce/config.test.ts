import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enforceConfig, enforceRulesOf, policiesOf } from './config.ts';

const kill = { level: 'kill', grace: '10m' };
const versionOf = (written: object) => {
  const policies = [{ id: 'p', ladder: [kill], ...written }];
  return policiesOf(enforceConfig.parse({ policies, shipped: false }))[0]?.version;
};

test('what ships is valid, spares streams, and tells those who are configured', () => {
  const config = enforceConfig.parse({ announceTo: ['ops'] });
  const policies = policiesOf(config);
  assert.ok(policies.length >= 6);
  for (const { announceTo, ladder, id } of policies) {
    assert.deepEqual(announceTo, ['ops'], id);
    assert.equal(ladder[0]?.level, 'notify', id);
  }
  const stream = policies.filter(({ workloads }) => workloads.includes('stream'));
  const sudden = stream.filter(({ ladder }) => {
    const levels = ladder.map(({ level }) => level);
    return levels.includes('kill') && !levels.includes('graceful-stop');
  });
  assert.deepEqual(sudden, [], 'a stream is asked to stop before it is killed');
  const { budget, freeze } = enforceRulesOf(config);
  assert.equal(budget.perTick, 2);
  assert.equal(budget.percentOfRunning, 5);
  assert.equal(freeze.settleMs, 900_000);
});

test('a policy of the same name replaces what ships', () => {
  const policies = [{ id: 'idle-batch', ladder: [kill] }];
  const found = policiesOf(enforceConfig.parse({ policies })).filter(
    ({ id }) => id === 'idle-batch',
  );
  assert.deepEqual(
    found.map(({ ladder }) => ladder.length),
    [1],
  );
});

test('all problems of a policy are told at once', () => {
  const parsed = enforceConfig.safeParse({
    policies: [
      { id: 'Bad Id', ladder: [kill, { level: 'notify', grace: '0s' }], typo: 1 },
      {
        id: 'b',
        ladder: [
          { level: 'kill', grace: '5s' },
          { level: 'explode', grace: 'soon' },
        ],
      },
    ],
  });
  const messages = (parsed.error?.issues ?? []).map(({ message }) => message).join('\n');
  for (const wanted of [
    /lower-case letters/,
    /from mild to hard/,
    /Unrecognized key: "typo"/,
    /"terminate-cluster"/,
    /must be a duration/,
  ]) {
    assert.match(messages, wanted);
  }
  const policies = [
    { id: 'a', ladder: [{ level: 'kill', grace: '5s' }] },
    { id: 'a', ladder: [kill] },
  ];
  assert.match(
    enforceConfig.safeParse({ policies: policies.slice(0, 1) }).error?.message ?? '',
    /kill needs a grace/,
  );
  assert.match(
    enforceConfig.safeParse({ policies: [policies[1], policies[1]] }).error?.message ?? '',
    /two policies a/,
  );
});

test('what a policy does decides its version, whom it tells does not', () => {
  const version = versionOf({});
  assert.equal(versionOf({ announceTo: ['dev'] }), version);
  for (const other of [
    { projects: ['etl'] },
    { rules: ['x'] },
    { minAge: '1m' },
    { ladder: [{ ...kill, grace: '11m' }] },
    { includeStreaming: ['etl'] },
  ]) {
    assert.notEqual(versionOf(other), version, JSON.stringify(other));
  }
});

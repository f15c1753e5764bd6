import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReportedAttempt } from '../../shared/contracts/cost-report.ts';
import { NO_SLOT_TIME } from '../../shared/event-log/slot-time.ts';
import { UNATTRIBUTED } from '../../shared/values/project-id.ts';
import { groupCosts, parseGrouping, sumGroup } from './group-costs.ts';

const quantity = { containerMs: 1n, millicoreMs: 2n, mibMs: 3n, gpuMs: 4n };
const attempt = (given: Partial<ReportedAttempt>): ReportedAttempt => ({
  application: 'app-1',
  attempt: '',
  name: '',
  user: '',
  queue: '',
  project: UNATTRIBUTED,
  tags: {},
  sparkVersion: '',
  start: 0,
  end: 0,
  endInferred: false,
  source: '',
  rows: [
    { role: 'executor', containers: 1, quantity, amount: 5n, inferred: 1n },
    { role: 'driver', containers: 1, quantity, amount: 7n, inferred: 1n },
  ],
  slots: { ...NO_SLOT_TIME, slotMs: 10, idleMs: 10 },
  taskRunMs: 3,
  shares: [],
  notes: [],
  ...given,
});

test('only application, project and tag:KEY are groupings', () => {
  assert.equal(parseGrouping('application'), 'application');
  assert.equal(parseGrouping('tag:Cost:Center'), 'tag:Cost:Center');
  for (const text of ['', 'tag:', 'tag', 'Application', 'user']) {
    assert.equal(parseGrouping(text), undefined, text);
  }
});

test('attempts of one application are one group, groups in order of their start', () => {
  const attempts = [
    attempt({ application: 'late', start: 9 }),
    attempt({ application: 'early', attempt: '2', start: 5 }),
    attempt({ application: 'early', attempt: '1', start: 1 }),
  ];
  assert.deepEqual(
    groupCosts(attempts, 'application').map(({ key, attempts: members }) => [
      key,
      members.map((member) => member.attempt),
    ]),
    [
      ['early', ['1', '2']],
      ['late', ['']],
    ],
  );
});

test('what lacks the tag is a group of its own, also for a tag named like a prototype', () => {
  const attempts = [attempt({ tags: { team: 'a' } }), attempt({})];
  const keys = (by: `tag:${string}`) => groupCosts(attempts, by).map(({ key }) => key);
  assert.deepEqual(keys('tag:team'), ['a', '']);
  assert.deepEqual(keys('tag:constructor'), ['']);
  assert.deepEqual(keys('tag:__proto__'), ['']);
});

test('a sum has one row a role with all of its parts added', () => {
  const sum = sumGroup('x', [attempt({}), attempt({}), attempt({ rows: [] })]);
  assert.deepEqual(sum.rows, [
    {
      role: 'executor',
      containers: 2,
      quantity: { containerMs: 2n, millicoreMs: 4n, mibMs: 6n, gpuMs: 8n },
      amount: 10n,
      inferred: 2n,
    },
    {
      role: 'driver',
      containers: 2,
      quantity: { containerMs: 2n, millicoreMs: 4n, mibMs: 6n, gpuMs: 8n },
      amount: 14n,
      inferred: 2n,
    },
  ]);
  assert.deepEqual([sum.slots.slotMs, sum.slots.idleMs, sum.taskRunMs], [30, 30, 9]);
});

import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { LongSeriesBudget } from './long-series-budget.ts';

test('what others have had is not there to take, and what a project has had stays its own', () => {
  const budget = new LongSeriesBudget(100);
  assert.equal(budget.of('etl'), 100);
  budget.learn('etl', 70);
  budget.learn('etl', 40);
  assert.equal(budget.of('ads'), 30);
  assert.equal(budget.of('etl'), 100);
  budget.learn('ads', 30);
  assert.equal(budget.of('etl'), 70);
  assert.equal(budget.of('third'), 0);
});

test('projects that take what they may never come to more than the bound together', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 500 }),
      fc.array(fc.record({ project: fc.constantFrom('a', 'b', 'c', 'd'), wanted: fc.nat(400) })),
      (most, hours) => {
        const budget = new LongSeriesBudget(most);
        const had = new Map<string, number>();
        for (const { project, wanted } of hours) {
          const got = Math.min(wanted, budget.of(project));
          budget.learn(project, got);
          had.set(project, Math.max(had.get(project) ?? 0, got));
        }
        const sum = [...had.values()].reduce((a, b) => a + b, 0);
        assert.ok(sum <= most, `${sum} > ${most}`);
      },
    ),
  );
});

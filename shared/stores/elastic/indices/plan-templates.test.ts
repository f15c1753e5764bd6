import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProjectId } from '../../../values/project-id.ts';
import { appendToPlan, BEGINNING, type IndexPlan } from './plan.ts';
import { readerRole } from './plan-role.ts';
import { plannedTemplates } from './plan-templates.ts';

const DAY = Date.UTC(2026, 10, 21);
const ETL = 'etl' as ProjectId;
const PLAN: IndexPlan = {
  format: 1,
  oldest: 0,
  pools: [{ count: 2, primaries: 1, validFrom: BEGINNING }],
  entries: [{ project: ETL, layout: 'own-daily', primaries: 7, validFrom: DAY }],
};

test('each stem of the plan is made with its primaries', () => {
  assert.deepEqual(plannedTemplates('tollgate-logs', PLAN), [
    { name: 'tollgate-logs-~pool-0-', primaries: 1 },
    { name: 'tollgate-logs-etl~daily-', primaries: 7 },
  ]);
  const pooled = { project: ETL, layout: 'pooled' as const, primaries: 1, validFrom: DAY * 2 };
  const pools = [{ count: 2, primaries: 6, validFrom: DAY }];
  assert.deepEqual(plannedTemplates('x', appendToPlan(PLAN, { entries: [pooled], pools }, DAY)), [
    { name: 'x-~pool-0-', primaries: 1 },
    { name: 'x-~pool-1-', primaries: 6 },
  ]);
});

test('the role of a direct project reads its own indices and can do nothing else', () => {
  assert.deepEqual(readerRole('tollgate-logs', ETL), {
    cluster: [],
    indices: [{ names: ['tollgate-logs-etl~*'], privileges: ['read', 'view_index_metadata'] }],
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { indexPlanConfig } from './plan-config.ts';
import { parseIndexName } from './plan-names.ts';
import { overdue } from './retention.ts';

const config = indexPlanConfig.parse({ keptDays: 30, projects: { etl: { keptDays: 7 } } });

/** What of these names is over at a time. */
function over(time: string, names: readonly string[]): string[] {
  const indices = names.flatMap((name) => parseIndexName('tollgate-logs', name) ?? []);
  return overdue(indices, config, Date.parse(time)).map(({ name }) => name);
}

test('an index is over when its whole day is older than what is kept', () => {
  const day = ['tollgate-logs-web~daily-2026.11.01'];
  assert.deepEqual(over('2026-12-01T23:59:59.999Z', day), []);
  assert.deepEqual(over('2026-12-02T00:00:00Z', day), day);
});

test('a month is over when its last day is', () => {
  const pool = ['tollgate-logs-~pool-0-00-2026.11'];
  assert.deepEqual(over('2026-12-30T23:59:59.999Z', pool), []);
  assert.deepEqual(over('2026-12-31T00:00:00Z', pool), pool);
});

test('a project keeps its own indices as long as it says, and pools as all do', () => {
  const etl = ['tollgate-logs-etl~daily-2026.11.01', 'tollgate-logs-etl~monthly-2026.11'];
  assert.deepEqual(over('2026-11-09T00:00:00Z', etl), etl.slice(0, 1));
  assert.deepEqual(over('2026-12-08T00:00:00Z', [...etl, 'tollgate-logs-~pool-0-00-2026.11']), etl);
});

test('what is not of the plan is never over', () => {
  const others = ['tollgate-plan', 'tollgate-logs-2000.01', 'kibana-2000.01', 'tollgate-logs-etl'];
  assert.deepEqual(over('2099-01-01T00:00:00Z', others), []);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logRecord } from '../../test/contracts/log-store-suite.ts';
import { refusedLog, refusedPoint } from './refused-records.ts';

const NOW = Date.UTC(2026, 10, 21, 9);

test('a refused log record has the identity of the record and the reason of the store', () => {
  const record = logRecord({ origin: 'logs:file:1|2#0+9', message: 'x' });
  const refused = refusedLog({ record, why: 'w'.repeat(500) }, NOW);
  assert.equal(refused.id, 'store:logs:file:1|2#0+9');
  assert.equal(refused.reason.length, 200);
  assert.deepEqual([refused.collector, refused.project, refused.observedAt], ['logs', 'etl', NOW]);
  const raw = JSON.parse(refused.raw) as Record<string, unknown>;
  assert.equal(raw['timestamp'], '2026-11-21T08:00:00.000Z');
  assert.equal(raw['message'], 'x');
  assert.deepEqual(refusedLog({ record, why: 'w' }, NOW + 1).id, refused.id);
});

test('a refused point is the same one however often it is refused', () => {
  const tags = { project: 'etl', cluster: 'main', application: 'app-1' };
  const point = { series: { measurement: 'jvm', field: 'heap', tags }, at: NOW - 5, value: 7 };
  const refused = refusedPoint({ ...point, reason: 'type-conflict' }, NOW);
  assert.deepEqual(JSON.parse(refused.raw), {
    ...{ measurement: 'jvm', field: 'heap', tags, at: NOW - 5, value: 7, project: 'etl' },
  });
  assert.equal(refusedPoint({ ...point, value: 8, reason: 'malformed' }, NOW).id, refused.id);
  assert.equal(refused.source, 'main');
});

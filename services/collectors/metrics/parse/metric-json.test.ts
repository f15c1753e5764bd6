import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseMetricJson } from './metric-json.ts';

const POINT = { measurement: 'm', field: 'f', at: 1_795_245_744_000, value: 1.5 };

function reasonOf(change: object): string {
  const fate = parseMetricJson(JSON.stringify({ ...POINT, ...change }));
  return fate.fate === 'kept' ? 'kept' : `${fate.fate} ${fate.reason}`;
}

test('reads times as ISO 8601 or milliseconds, under either name', () => {
  const read = (change: object): unknown => {
    const fate = parseMetricJson(JSON.stringify({ ...POINT, at: undefined, ...change }));
    return fate.fate === 'kept' && fate.record.at;
  };
  assert.equal(read({ at: '2026-11-21T07:22:24.000Z' }), POINT.at);
  assert.equal(read({ at: POINT.at + 0.9 }), POINT.at);
  assert.equal(read({ timestamp: POINT.at }), POINT.at);
  assert.equal(read({ timestamp: '2026-11-21T09:22:24+02:00' }), POINT.at);
});

test('takes project and cluster out of the tags, and numbers in tags as text', () => {
  const tags = { project: 'ETL', cluster: 'c', executor: 3, ok: true };
  const fate = parseMetricJson(JSON.stringify({ ...POINT, tags }));
  assert.deepEqual(fate, {
    fate: 'kept',
    record: { ...POINT, tags: { executor: '3', ok: 'true' }, cluster: 'c', project: 'etl' },
  });
});

test('names what is wrong with a record', () => {
  assert.equal(reasonOf({ measurement: '' }), 'quarantined bad-measurement');
  assert.equal(reasonOf({ field: 'a\u0000b' }), 'quarantined bad-field');
  assert.equal(reasonOf({ field: 'x'.repeat(300) }), 'quarantined bad-field');
  assert.equal(reasonOf({ tags: ['a'] }), 'quarantined bad-tags');
  assert.equal(reasonOf({ tags: { a: { b: 1 } } }), 'quarantined bad-tags');
  assert.equal(reasonOf({ tags: { a: 'x\u0007' } }), 'quarantined bad-tags');
  assert.equal(reasonOf({ at: '2026-11-21 07:22' }), 'quarantined bad-time');
  assert.equal(reasonOf({ at: 1e300 }), 'quarantined bad-time');
  assert.equal(reasonOf({ project: '__proto__' }), 'quarantined bad-project');
  assert.equal(reasonOf({ value: '1' }), 'quarantined bad-value');
  assert.equal(reasonOf({ value: null }), 'dropped not-a-number');
  assert.equal(reasonOf({ value: 'NaN' }), 'dropped not-a-number');
});

test('survives any text and any JSON', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
      assert.notEqual(parseMetricJson(line).fate, undefined);
    }),
  );
});

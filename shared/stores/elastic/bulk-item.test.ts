import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type BulkFate, bulkFates } from './bulk-item.ts';

function item(status: number, type = '', reason = ''): object {
  return { create: { status, ...(type === '' ? {} : { error: { type, reason } }) } };
}

const kinds = (fates: readonly BulkFate[]): string[] => fates.map(({ kind }) => kind);

for (const [what, answer, kind] of [
  ['created', item(201), 'stored'],
  ['there already', item(409, 'version_conflict_engine_exception'), 'duplicate'],
  ['a full queue', item(429, 'es_rejected_execution_exception'), 'later'],
  ['a shard that is away', item(503, 'unavailable_shards_exception'), 'later'],
  ['a disk at its flood stage', item(429, 'cluster_block_exception'), 'full'],
  ['a value that fits no field', item(400, 'document_parsing_exception'), 'refused'],
  ['the same in words of 8.0', item(400, 'mapper_parsing_exception'), 'refused'],
  ['a term that is too long', item(400, 'illegal_argument_exception', 'immense term'), 'refused'],
  ['a cluster full of shards', item(400, 'validation_exception', 'this would add'), 'wrong'],
  ['an argument of the index', item(400, 'illegal_argument_exception', 'x'), 'wrong'],
  ['a missing right', item(403, 'security_exception'), 'wrong'],
  ['a block that a person set', item(403, 'cluster_block_exception'), 'wrong'],
  ['an index that may not be made', item(404, 'index_not_found_exception'), 'wrong'],
] as const) {
  test(`${what} is ${kind}`, () => {
    assert.deepEqual(kinds(bulkFates({ status: 200, body: { items: [answer] } }, 1)), [kind]);
  });
}

test('each line of a bulk has its own fate, in its order', () => {
  const items = [
    item(201),
    item(429, 'es_rejected_execution_exception'),
    item(409, 'x'),
    item(400, 'document_parsing_exception'),
  ];
  assert.deepEqual(kinds(bulkFates({ status: 200, body: { items } }, 4)), [
    'stored',
    'later',
    'duplicate',
    'refused',
  ]);
});

for (const [status, kind] of [
  [429, 'later'],
  [502, 'later'],
  [503, 'later'],
  [504, 'later'],
  [401, 'wrong'],
  [403, 'wrong'],
  [400, 'wrong'],
  [404, 'wrong'],
] as const) {
  test(`status ${status} of a whole bulk makes all of it ${kind}`, () => {
    const body = { error: { type: 'mapper_parsing_exception', reason: 'r' } };
    assert.deepEqual(kinds(bulkFates({ status, body }, 2)), [kind, kind]);
  });
}

test('nothing counts as stored unless the server says so of each line', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.constant({ status: 200, body: '<html>' }),
        fc.constant({ status: 200, body: null }),
        fc.constant({ status: 200, body: { items: [item(201)] } }),
        fc.constant({ status: 201, body: {} }),
        fc.constant({ status: 302, body: '' }),
        fc.constant({ status: 200, body: { items: [null, {}, { create: {} }] } }),
      ),
      (answer) => {
        const fates = bulkFates(answer, 3);
        assert.equal(fates.length, 3);
        for (const { kind } of fates) assert.ok(kind === 'later' || kind === 'wrong', kind);
      },
    ),
  );
});

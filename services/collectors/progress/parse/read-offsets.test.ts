import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readOffsetText, readPartitions, toOffset } from './read-offsets.ts';

test('offsets in text and as JSON are the same', () => {
  const offsets = fc.dictionary(
    fc.stringMatching(/^[a-zA-Z0-9._-]{1,20}$/),
    fc.dictionary(fc.nat(200).map(String), fc.maxSafeNat(), { minKeys: 1 }),
  );
  fc.assert(
    fc.property(offsets, offsets, (end, latest) => {
      const direct = readPartitions(null, end, latest);
      assert.deepEqual(readPartitions(null, JSON.stringify(end), JSON.stringify(latest)), direct);
      for (const { topic, partition, end: at } of direct) {
        const raw = Object.hasOwn(end, topic) ? end[topic] : undefined;
        assert.equal(
          at,
          raw !== undefined && Object.hasOwn(raw, partition) ? raw[partition] : null,
        );
      }
    }),
  );
});

test('partitions are in the order of their numbers, not of their text', () => {
  const partitions = readPartitions(null, { b: { 10: 1, 2: 1, 0: 1 }, a: { 1: 1 } }, null);
  assert.deepEqual(
    partitions.map(({ topic, partition }) => `${topic}${partition}`),
    ['a1', 'b0', 'b2', 'b10'],
  );
});

test('offsets of other sources have no partitions', () => {
  for (const offset of [
    456,
    '456',
    '-',
    null,
    undefined,
    { logOffset: 3 },
    '{"seqNum":12,"sourceVersion":1}',
    { sourceVersion: 1, reservoirId: 'x', reservoirVersion: 7, index: -1 },
    { shard: { 'shardId-0001': '49' } },
    { t: [1, 2] },
    'not { json',
  ]) {
    assert.deepEqual(readPartitions(offset, offset, offset), []);
  }
});

test('only a whole number from zero on is an offset', () => {
  assert.equal(toOffset(0), 0);
  assert.equal(toOffset('17'), 17);
  assert.equal(toOffset(9_007_199_254_740_993n), 9_007_199_254_740_993n);
  assert.equal(toOffset(5n), 5);
  for (const other of [-1, -2n, 1.5, Number.NaN, 2 ** 60, '-2', '1e3', '', null, {}]) {
    assert.equal(toOffset(other), undefined);
  }
});

test("the text of Spark 2.0's Kafka offsets is read, a file's is not", () => {
  assert.deepEqual(readOffsetText('[(a-b-0,5), (a-b-12,7)]'), [
    { topic: 'a-b', partition: '0', start: null, end: 5, latest: null },
    { topic: 'a-b', partition: '12', start: null, end: 7, latest: null },
  ]);
  assert.deepEqual(readOffsetText('#0'), []);
  assert.deepEqual(readOffsetText(`[${'('.repeat(50_000)}`), []);
});

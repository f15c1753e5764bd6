import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { cutBatch, type KafkaMessage, recordsOf } from './kafka-records.ts';

const message = (offset: number, value: string | Buffer | null): KafkaMessage => ({
  offset: String(offset),
  key: null,
  value: typeof value === 'string' ? Buffer.from(value) : value,
});
const none = (): boolean => false;

test('a batch is cut where a chunk is full, and its last chunk ends where the batch does', () => {
  const messages = [0, 1, 2, 5].map((offset) => message(offset, 'x'.repeat(1_000)));
  const chunks = cutBatch(messages, 7n, { maxBytes: 3_100, holds: none });
  assert.deepEqual(
    chunks.map(({ first, until, messages: all }) => [first, until, all.length]),
    [
      [0n, 2n, 2],
      [2n, 8n, 2],
    ],
  );
});

test('a message larger than a chunk is a chunk of its own', () => {
  const messages = [message(0, 'a'), message(1, 'b'.repeat(9_000)), message(2, 'c')];
  const chunks = cutBatch(messages, 2n, { maxBytes: 2_000, holds: none });
  assert.deepEqual(
    chunks.map(({ messages: all }) => all.length),
    [1, 1, 1],
  );
});

test('messages in hand are left out, and what lies around them keeps its offsets', () => {
  const messages = [4, 5, 6, 7, 8].map((offset) => message(offset, 'x'));
  const holds = (offset: bigint): boolean => offset === 6n || offset === 8n;
  const chunks = cutBatch(messages, 9n, { maxBytes: 1e6, holds });
  assert.deepEqual(
    chunks.map(({ first, until }) => [first, until]),
    [
      [4n, 6n],
      [7n, 8n],
    ],
  );
  assert.deepEqual(cutBatch(messages, 9n, { maxBytes: 1e6, holds: () => true }), []);
});

test('chunks hold every message once, in order, in offsets that do not overlap', () => {
  const lengths = fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(lengths, fc.integer({ min: 600, max: 5_000 }), (sizes, maxBytes) => {
      const messages = sizes.map((size, i) => message(i * 2, 'x'.repeat(size)));
      const chunks = cutBatch(messages, BigInt(sizes.length * 2), { maxBytes, holds: none });
      assert.deepEqual(
        chunks.flatMap((chunk) => chunk.messages),
        messages,
      );
      for (const [i, { first, until }] of chunks.entries()) {
        assert.ok(first < until && until <= (chunks[i + 1]?.first ?? until));
      }
      assert.equal(chunks.at(-1)?.until, BigInt(sizes.length * 2 + 1));
    }),
  );
});

test('each message is known by topic, partition and offset, and says why it is not read', () => {
  const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('{"a":1}', 'utf16le')]);
  const found = recordsOf(
    'kafka:logs/3',
    [
      message(17, '{"a":1}'),
      message(18, null),
      message(19, 'long '.repeat(30_000)),
      message(20, Buffer.from([0, 0, 0, 0, 1, 0xc3, 0x28])),
      message(21, 'a\0b'),
      message(22, utf16),
      message(23, '\ufeff{"é":1}'),
    ],
    100_000,
  );
  assert.deepEqual(
    found.map(({ id, refused, text }) => [id, refused?.fate, refused?.reason, text.length]),
    [
      ['kafka:logs/3#17', undefined, undefined, 7],
      ['kafka:logs/3#18', 'dropped', 'tombstone', 0],
      ['kafka:logs/3#19', 'quarantined', 'too-long', 65_536],
      ['kafka:logs/3#20', 'quarantined', 'not-utf8', 7],
      ['kafka:logs/3#21', 'quarantined', 'binary', 3],
      ['kafka:logs/3#22', undefined, undefined, 7],
      ['kafka:logs/3#23', undefined, undefined, 7],
    ],
  );
  assert.equal(found[5]?.text, '{"a":1}');
});

import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  batchReader,
  type DecodedRecord,
  useCodecs,
} from '../../../test/support/read-kafka-batch.ts';
import { kafkaCodecs, unreadableBatch } from './kafka-codecs.ts';

const NAMES = ['gzip', 'snappy', 'lz4', 'zstd'];
const ROOMY = { batchMaxBytes: 2 ** 26, answerMaxBytes: 2 ** 26 };

function codecsOf(limits = ROOMY) {
  const codecs = kafkaCodecs(limits);
  useCodecs(codecs);
  return (number: number) => {
    const codec = codecs.get(number);
    assert.ok(codec !== undefined);
    return codec();
  };
}

const zigzag = (value: number): number[] => {
  const bytes: number[] = [];
  let rest = value * 2;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
};

function records(values: readonly string[], gap = 1): Buffer {
  return Buffer.concat(
    values.map((value, i) => {
      const text = Buffer.from(value);
      const body = [0, 0, ...zigzag(i * gap), 1, ...zigzag(text.length)];
      const length = body.length + text.length + 1;
      return Buffer.concat([Buffer.from([...zigzag(length), ...body]), text, Buffer.from([0])]);
    }),
  );
}

interface Shape {
  readonly codec: number;
  readonly count: number;
  readonly first?: bigint;
  readonly lastDelta?: number;
}

/** A batch in Kafka's format 2 around packed records. */
function batch(
  packed: Buffer,
  { codec, count, first = 17n, lastDelta = count - 1 }: Shape,
): Buffer {
  const header = Buffer.alloc(61);
  header.writeBigInt64BE(first, 0);
  header.writeInt32BE(packed.length + 49, 8);
  header.writeInt8(2, 16);
  header.writeInt16BE(codec, 21);
  header.writeInt32BE(lastDelta, 23);
  header.writeInt32BE(count, 57);
  return Buffer.concat([header, packed]);
}

function decoded(bytes: Buffer): Promise<DecodedRecord[]> {
  return batchReader(bytes)();
}

for (const [index, name] of NAMES.entries()) {
  const number = index + 1;

  test(`${name}: what is packed is unpacked`, async () => {
    const codec = codecsOf()(number);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), fc.nat(50), async (part, times) => {
        const plain = Buffer.concat(Array.from({ length: times }, () => part));
        assert.deepEqual(await codec.decompress(await codec.compress({ buffer: plain })), plain);
      }),
      { numRuns: 30 },
    );
  });

  test(`${name}: a batch is read by the client library`, async () => {
    const packed = await codecsOf()(number).compress({ buffer: records(['a', 'bc']) });
    const found = await decoded(batch(packed, { codec: number, count: 2 }));
    assert.deepEqual(
      found.map(({ offset, value }) => [offset, String(value)]),
      [
        ['17', 'a'],
        ['18', 'bc'],
      ],
    );
    assert.ok(found.every((record) => unreadableBatch(record) === undefined));
  });

  test(`${name}: a bomb becomes records that say so, at the offsets of its own`, async () => {
    const codec = codecsOf({ batchMaxBytes: 100_000, answerMaxBytes: 1e9 })(number);
    const packed = await codec.compress({ buffer: Buffer.alloc(10_000_000) });
    const found = await decoded(batch(packed, { codec: number, count: 3, lastDelta: 9 }));
    assert.deepEqual(
      found.map(({ offset }) => offset),
      ['17', '18', '26'],
    );
    for (const record of found) {
      const unreadable = unreadableBatch(record);
      assert.equal(unreadable?.reason, 'batch-too-large');
      assert.equal(unreadable.firstOffset, '17');
      assert.match(unreadable.detail, /^3 records at offsets 17 to 26, packed in \d+ bytes: /);
    }
  });

  test(`${name}: damage becomes records that say so`, async () => {
    const codec = codecsOf()(number);
    const packed = await codec.compress({ buffer: records(['a', 'b']) });
    const halves = [packed.subarray(0, packed.length >> 1), Buffer.from('nonsense'.repeat(9))];
    for (const damaged of halves) {
      const found = await decoded(batch(Buffer.from(damaged), { codec: number, count: 2 }));
      assert.deepEqual(
        found
          .map(unreadableBatch)
          .map((bad) => bad?.reason)
          .toSorted(),
        ['batch-corrupt', 'batch-corrupt'],
      );
    }
  });
}

test('a codec that Kafka does not have becomes records that say so', async () => {
  codecsOf();
  for (const codec of [5, 6, 7]) {
    const [record, ...others] = await decoded(batch(Buffer.from('?'), { codec, count: 1 }));
    assert.equal(others.length, 0);
    assert.ok(record !== undefined);
    assert.equal(unreadableBatch(record)?.reason, 'codec-unknown');
  }
});

test('a batch with fewer records than it says, or too many, is refused as a whole', async () => {
  const codec = codecsOf({ batchMaxBytes: 1_000_000, answerMaxBytes: 1e9 })(4);
  const packed = await codec.compress({ buffer: records(['a', 'b']) });
  const few = await decoded(batch(packed, { codec: 4, count: 3 }));
  assert.match(unreadableBatch(few[0] ?? assert.fail())?.detail ?? '', /only 2 of its 3 records/);
  const many = await decoded(batch(packed, { codec: 4, count: 5_000 }));
  assert.equal(many.length, 5_000);
  assert.equal(unreadableBatch(many[0] ?? assert.fail())?.reason, 'batch-too-large');
  await assert.rejects(decoded(batch(packed, { codec: 4, count: 2_000_000_000 })), /2000000000/);
});

test('an answer that unpacks to too much is read up to there, and asked for again', async () => {
  const codec = codecsOf({ batchMaxBytes: 10_000, answerMaxBytes: 15_000 })(1);
  const packed = await codec.compress({ buffer: records(['x'.repeat(8_000)]) });
  const whole = Buffer.concat([
    batch(packed, { codec: 1, count: 1 }),
    batch(packed, { codec: 1, count: 1, first: 18n }),
  ]);
  const next = batchReader(whole);
  assert.equal((await next()).length, 1);
  await assert.rejects(next(), { name: 'KafkaJSPartialMessageError' });
  const again = Buffer.from(new Uint8Array(batch(packed, { codec: 1, count: 1, first: 18n })));
  assert.equal((await decoded(again)).length, 1);
});

test('a record of very many headers is refused, since reading it would take for ever', async () => {
  const codec = codecsOf()(0);
  const header = Buffer.from([2, 65, 0]);
  const shaped = (count: number): Buffer => {
    const body = Buffer.concat([
      Buffer.from([0, 0, 0, 1, 1, ...zigzag(count)]),
      ...Array.from({ length: count }, () => header),
    ]);
    return Buffer.concat([Buffer.from(zigzag(body.length)), body]);
  };
  assert.ok(codec !== undefined);
  const [few] = await decoded(batch(shaped(1_000), { codec: 0, count: 1 }));
  assert.equal(unreadableBatch(few ?? assert.fail()), undefined);
  const [many] = await decoded(batch(shaped(1_001), { codec: 0, count: 1 }));
  assert.match(unreadableBatch(many ?? assert.fail())?.detail ?? '', /1001 headers/);
});

test('batches that are not packed are looked at too, and read as they are', async () => {
  codecsOf();
  const found = await decoded(batch(records(['a', 'bc'], 3), { codec: 0, count: 2, lastDelta: 3 }));
  assert.deepEqual(
    found.map(({ offset, value }) => `${offset} ${value}`),
    ['17 a', '20 bc'],
  );
  const [bad] = await decoded(batch(records(['a']), { codec: 0, count: 2 }));
  assert.equal(unreadableBatch(bad ?? assert.fail())?.reason, 'batch-corrupt');
});

test('formats before 0.11 are refused aloud', async () => {
  const old = Buffer.from(new Uint8Array(99));
  for (const codec of [0, 1]) {
    await assert.rejects(codecsOf()(codec).decompress(old), /before Kafka 0.11/);
  }
});

test('nobody else can write what looks like a batch that cannot be read', () => {
  assert.equal(unreadableBatch({ key: Buffer.alloc(16), value: Buffer.from('{}') }), undefined);
  assert.equal(unreadableBatch({ key: null, value: null }), undefined);
});

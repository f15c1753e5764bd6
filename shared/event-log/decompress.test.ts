import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PACKERS, packLz4, packSnappy } from '../../test/support/pack-event-log.ts';
import { type DecompressEnd, decompress } from './decompress.ts';

async function* chunksOf(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

async function unpack(
  bytes: Buffer,
  name = 'log',
  size = 1000,
): Promise<{ bytes: Buffer; end: DecompressEnd | undefined }> {
  const parts: Uint8Array[] = [];
  let end: DecompressEnd | undefined;
  for await (const part of decompress(chunksOf(bytes, size), name, (seen) => {
    end = seen;
  })) {
    parts.push(Buffer.from(part));
  }
  return { bytes: Buffer.concat(parts), end };
}

/** Text that packs to several blocks, half of it noise so that raw blocks occur too. */
function sample(length = 100_000): Buffer {
  const bytes = Buffer.alloc(length, '{"Event":"SparkListenerTaskStart","Stage ID":12}\n');
  let state = 1;
  for (let at = length >> 1; at < length; at += 1) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

for (const [suffix, pack] of Object.entries(PACKERS)) {
  test(`what was packed as "${suffix}" comes out again, whatever the chunks`, async () => {
    const bytes = sample();
    for (const size of [7, 4096, 1_000_000]) {
      const result = await unpack(pack(bytes), `log${suffix}`, size);
      assert.equal(result.end?.kind, 'complete');
      assert.ok(result.bytes.equals(bytes));
    }
  });

  test(`a "${suffix}" log cut anywhere gives its beginning and never fails`, async () => {
    const bytes = sample(3_000);
    const packed = pack(bytes);
    for (let cut = 0; cut < packed.length; cut += 1) {
      const result = await unpack(packed.subarray(0, cut), `log${suffix}`);
      assert.ok(bytes.subarray(0, result.bytes.length).equals(result.bytes), `cut at ${cut}`);
      if (suffix === '' || cut === 0) assert.equal(result.end?.detail, '');
    }
    if (suffix !== '') {
      const result = await unpack(packed.subarray(0, packed.length - 1), `log${suffix}`);
      assert.equal(result.end?.kind, 'truncated');
    }
  });

  test(`a "${suffix}" log with any byte broken never fails`, async () => {
    const packed = pack(sample(3_000));
    await fc.assert(
      fc.asyncProperty(
        fc.nat(packed.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (at, x) => {
          const broken = Buffer.from(packed);
          broken[at] = (broken[at] ?? 0) ^ x;
          assert.notEqual((await unpack(broken, `log${suffix}`)).end, undefined);
        },
      ),
      { numRuns: 100 },
    );
  });
}

test('an unfinished zstd frame gives all blocks that were flushed', async () => {
  const { zstdCompressSync } = await import('node:zlib');
  const bytes = sample(1_000_000);
  const packed = zstdCompressSync(bytes);
  const result = await unpack(
    packed.subarray(0, packed.length - 10),
    'log.zstd.inprogress',
    65_536,
  );
  assert.equal(result.end?.kind, 'truncated');
  assert.ok(result.bytes.length > 800_000, `${result.bytes.length} bytes`);
});

test('joined streams are read to the last one', async () => {
  const [a, b] = [Buffer.from('first\n'), Buffer.from('second\n')];
  for (const [suffix, pack] of Object.entries(PACKERS)) {
    const result = await unpack(Buffer.concat([pack(a), pack(b)]), `log${suffix}`);
    assert.equal(result.bytes.toString(), 'first\nsecond\n', suffix);
    assert.equal(result.end?.kind, 'complete', suffix);
  }
});

test('the bytes decide the codec before the name does', async () => {
  const bytes = Buffer.from('{"Event":"SparkListenerLogStart"}\n');
  assert.ok((await unpack(bytes, 'unpacked.zstd')).bytes.equals(bytes));
  assert.ok((await unpack(packLz4(bytes), 'renamed')).bytes.equals(bytes));
  assert.equal((await unpack(Buffer.from('no gzip at all'), 'log.gz')).end?.kind, 'corrupt');
});

test('lzf is named as not supported', async () => {
  const { end } = await unpack(Buffer.from('ZV\x01\x00\x01'), 'log.lzf');
  assert.equal(end?.kind, 'unsupported');
  assert.match(end?.detail ?? '', /lzf/);
});

test('a block that claims gigabytes is refused without taking them', async () => {
  const lz4 = packLz4(sample(100));
  lz4.writeInt32LE(0x7fffffff, 13);
  assert.equal((await unpack(lz4)).end?.kind, 'corrupt');
  const snappy = packSnappy(sample(100));
  snappy.writeInt32BE(0x7fffffff, 16);
  assert.equal((await unpack(snappy)).end?.kind, 'corrupt');
  const claims = Buffer.concat([snappy.subarray(0, 16), Buffer.from([0, 0, 0, 6])]);
  const block = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0x00]);
  assert.equal((await unpack(Buffer.concat([claims, block]))).end?.kind, 'corrupt');
});

test('an lz4 block with a wrong checksum is not believed', async () => {
  const packed = packLz4(sample(100));
  packed.writeInt32LE((packed.readInt32LE(17) + 1) & 0x0fffffff, 17);
  const { bytes, end } = await unpack(packed);
  assert.equal(bytes.length, 0);
  assert.match(end?.detail ?? '', /checksum/);
});

test('an error of the source itself passes through', async () => {
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('{"Event"');
    throw new Error('the disk is gone');
  }
  await assert.rejects(async () => {
    for await (const part of decompress(failing(), 'log', () => undefined)) assert.ok(part);
  }, /the disk is gone/);
});

test('a reader that stops early lets go of the source', async () => {
  let closed = false;
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield Buffer.from('{}\n');
    } finally {
      closed = true;
    }
  }
  for await (const part of decompress(endless(), 'log', () => undefined)) {
    assert.ok(part);
    break;
  }
  assert.equal(closed, true);
});

test('padding after a gzip stream ends the log, and hangs nothing', async () => {
  const bytes = sample(50_000);
  const packed = PACKERS['.gz']?.(bytes) ?? bytes;
  for (const size of [100, 1_000_000]) {
    const result = await unpack(Buffer.concat([packed, Buffer.alloc(100_000)]), 'log.gz', size);
    assert.ok(result.bytes.equals(bytes));
  }
});

test('what was written so far comes out while the stream is still open', async () => {
  const { createZstdCompress, constants } = await import('node:zlib');
  const writer = createZstdCompress();
  const flushed = (text: string): Promise<Buffer> =>
    new Promise((resolve) => {
      writer.write(text);
      writer.flush(constants.ZSTD_e_flush, () => resolve(writer.read()));
    });
  let seen = '';
  async function* growing(): AsyncGenerator<Uint8Array> {
    for (const text of ['first\n', 'second\n', 'third\n']) {
      yield await flushed(text);
      assert.ok(seen.endsWith(text), `${text} was handed on before more was asked for`);
    }
  }
  for await (const part of decompress(growing(), 'log.zstd', () => undefined)) {
    seen += Buffer.from(part).toString();
  }
  assert.equal(seen, 'first\nsecond\nthird\n');
});

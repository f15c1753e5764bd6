import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PACKERS } from '../../test/support/pack-event-log.ts';
import { type Codec, detectCodec, MAGIC_BYTES } from './codec.ts';

const TEXT = Buffer.from('{"Event":"SparkListenerLogStart"}\n');
const CODECS: Readonly<Record<string, Codec>> = {
  '': 'plain',
  '.gz': 'gzip',
  '.zstd': 'zstd',
  '.lz4': 'lz4',
  '.snappy': 'snappy',
};

test('the first bytes tell the codec under any name', () => {
  for (const [suffix, codec] of Object.entries(CODECS)) {
    const head = PACKERS[suffix]?.(TEXT).subarray(0, MAGIC_BYTES) ?? Buffer.alloc(0);
    for (const name of ['log', 'log.zstd', 'log.gz', 'log.lzf']) {
      assert.equal(detectCodec(head, name), codec, `${suffix} as ${name}`);
    }
  }
});

test('the name decides where the bytes tell nothing', () => {
  const head = Buffer.from('????????');
  const cases: [string, Codec][] = [
    ['events_1_app.zstd', 'zstd'],
    ['events_1_app.zstd.compact', 'zstd'],
    ['app.lz4.inprogress', 'lz4'],
    ['app.snappy', 'snappy'],
    ['app.lzf', 'lzf'],
    ['app.zst', 'zstd'],
    ['app', 'plain'],
    ['zstd', 'plain'],
  ];
  for (const [name, codec] of cases) assert.equal(detectCodec(head, name), codec, name);
});

test('an empty file is no broken archive, whatever its name', () => {
  assert.equal(detectCodec(Buffer.alloc(0), 'log.zstd'), 'plain');
});

test("lzf's chunk header is known", () => {
  assert.equal(detectCodec(Buffer.from('ZV\u0001\u0000\u0010'), 'log'), 'lzf');
});

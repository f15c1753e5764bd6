import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { CompressedReader } from './compressed-reader.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gz-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const TEXT = Buffer.from(Array.from({ length: 20_000 }, (_, i) => `line ${i}\n`).join(''));

function file(bytes: Buffer): string {
  const path = join(folder, 'x');
  writeFileSync(path, bytes);
  return path;
}

async function rest(reader: CompressedReader): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (;;) {
    const piece = await reader.read(5_000);
    if (piece.length === 0) return Buffer.concat(parts);
    assert.ok(piece.length <= 5_000);
    parts.push(piece);
  }
}

for (const [name, compress] of [
  ['gzip', gzipSync],
  ['zstd', zstdCompressSync],
] as const) {
  test(`${name}: read whole, from an offset, and from its head`, async () => {
    const path = file(compress(TEXT));
    using whole = new CompressedReader(path, name);
    assert.deepEqual(await rest(whole), TEXT);
    using part = new CompressedReader(path, name);
    assert.equal(await part.skip(100_001), true);
    assert.deepEqual(await rest(part), TEXT.subarray(100_001));
    using head = new CompressedReader(path, name);
    assert.deepEqual(await head.head(1_024), TEXT.subarray(0, 1_024));
    using beyond = new CompressedReader(path, name);
    assert.equal(await beyond.skip(TEXT.length + 1), false);
  });

  test(`${name}: a file that is not whole rejects at its end, not before`, async () => {
    const bytes = compress(TEXT);
    using reader = new CompressedReader(file(bytes.subarray(0, bytes.length - 20)), name);
    assert.deepEqual(await reader.head(1_024), TEXT.subarray(0, 1_024));
    await assert.rejects(rest(reader));
  });

  test(`${name}: what is not compressed rejects`, async () => {
    using reader = new CompressedReader(file(TEXT), name);
    await assert.rejects(rest(reader));
  });
}

test('several gzip members are one text', async () => {
  using reader = new CompressedReader(file(Buffer.concat([gzipSync('a'), gzipSync('b')])), 'gzip');
  assert.equal((await rest(reader)).toString(), 'ab');
});

test('a bomb is read piece by piece', async () => {
  using reader = new CompressedReader(file(gzipSync(Buffer.alloc(50 << 20))), 'gzip');
  assert.equal(await reader.skip(50 << 20), true);
  assert.equal((await reader.read(1)).length, 0);
});

test('a file that is gone rejects', async () => {
  using reader = new CompressedReader(join(folder, 'none'), 'gzip');
  await assert.rejects(reader.read(1), { code: 'ENOENT' });
});

import assert from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { TailReader } from '../../../test/support/tail-reader.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tail-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text: string | Buffer): string {
  const full = join(folder, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text);
  return full;
}

const line = (n: number): string => `26/11/21 07:00:${String(n % 60).padStart(2, '0')} line ${n}\n`;
const lines = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => line(from + i)).join('');

test('files are read as they grow, with what their path says', async () => {
  const path = write('app_1/c_1/stderr', lines(0, 3));
  write('app_1/c_1/stdout', 'not asked for');
  const captured: Record<string, string>[] = [];
  const reader = new TailReader(folder, '{application}/{container}/stderr');
  const take = reader.take.bind(reader);
  reader.take = (event) => {
    if (event.kind === 'data') captured.push({ ...event.file.captures });
    take(event);
  };
  await reader.settle();
  appendFileSync(path, lines(3, 5));
  await reader.settle();
  write('app_2/c_9/stderr', 'later\n');
  await reader.settle();
  assert.deepEqual(Object.fromEntries(reader.text), {
    'app_1/c_1/stderr': lines(0, 5),
    'app_2/c_9/stderr': 'later\n',
  });
  assert.deepEqual(captured[0], { application: 'app_1', container: 'c_1' });
  await reader.close();
});

test('rename rotation is read in order, half a line at the turn included', async () => {
  const path = write('x.log', `${lines(0, 50)}half `);
  const reader = await new TailReader(folder, '*.log').settle();
  appendFileSync(path, 'of it');
  renameSync(path, `${path}.1`);
  write('x.log', ' and the rest\n');
  await reader.settle();
  assert.equal(reader.text.get('x.log'), `${lines(0, 50)}half of it and the rest\n`);
  assert.deepEqual(reader.ends, ['rotated']);
  await reader.close();
});

test('a file that is empty right after a rotation is read as soon as it is written to', async () => {
  const path = write('x.log', lines(0, 5));
  const reader = await new TailReader(folder, 'x.log', { scanIntervalMs: 1_000_000 }).settle();
  renameSync(path, `${path}.1`);
  write('x.log', '');
  for (let tick = 0; tick < 5; tick += 1) await reader.tick();
  appendFileSync(path, lines(5, 6));
  for (let tick = 0; tick < 5; tick += 1) await reader.tick();
  assert.equal(reader.text.get('x.log'), lines(0, 6));
  await reader.close();
});

test('a late line to a rotated file is read too', async () => {
  const path = write('x.log', lines(0, 5));
  const reader = await new TailReader(folder, 'x.log').settle();
  renameSync(path, `${path}.1`);
  write('x.log', lines(5, 6));
  await reader.settle();
  appendFileSync(`${path}.1`, 'late\n');
  await reader.settle();
  assert.equal(reader.text.get('x.log'), `${lines(0, 6)}late\n`);
  await reader.close();
});

test('a rotation between two scans that nobody saw is read in order', async () => {
  const path = write('x.log', lines(0, 50));
  const reader = await new TailReader(folder, 'x.log').settle();
  renameSync(path, `${path}.2`);
  write('x.log.1', lines(50, 80));
  write('x.log', lines(80, 90));
  await reader.settle();
  assert.equal(reader.text.get('x.log'), lines(0, 90));
  await reader.close();
});

test('copytruncate: what was not read yet comes from the copy, and the copy is not read again', async () => {
  const path = write('x.log', lines(0, 60));
  const reader = await new TailReader(folder, 'x.log').settle();
  appendFileSync(path, lines(60, 70));
  copyFileSync(path, `${path}.1`);
  truncateSync(path, 0);
  appendFileSync(path, lines(70, 75));
  await reader.settle();
  assert.equal(reader.text.get('x.log'), lines(0, 75));
  await reader.restart();
  await reader.settle();
  assert.equal(reader.text.get('x.log'), lines(0, 75));
  await reader.close();
});

test('copytruncate while Tollgate is down loses and repeats nothing', async () => {
  const path = write('x.log', lines(0, 60));
  const reader = await new TailReader(folder, 'x.log').settle();
  appendFileSync(path, lines(60, 70));
  copyFileSync(path, `${path}.1`);
  truncateSync(path, 0);
  appendFileSync(path, lines(70, 170));
  await reader.restart();
  await reader.settle();
  assert.equal(reader.text.get('x.log'), lines(0, 170));
  await reader.close();
});

test('a truncated file is read from its new beginning, even when it is longer by then', async () => {
  const path = write('x.log', lines(0, 40));
  const reader = await new TailReader(folder, 'x.log').settle();
  truncateSync(path, 0);
  appendFileSync(path, lines(100, 200));
  await reader.settle();
  assert.equal(reader.text.get('x.log'), lines(0, 40) + lines(100, 200));
  assert.deepEqual(reader.ends, ['truncated']);
  await reader.restart();
  await reader.settle();
  assert.equal(reader.text.get('x.log'), lines(0, 40) + lines(100, 200));
  await reader.close();
});

for (const [name, compress, end] of [
  ['gzip', gzipSync, '.gz'],
  ['zstd', zstdCompressSync, '.zst'],
] as const) {
  test(`a rotation compressed later (${name}) is not read again, nor after a restart`, async () => {
    const path = write('x.log', lines(0, 100));
    const reader = await new TailReader(folder, 'x.log').settle();
    renameSync(path, `${path}.1`);
    write('x.log', lines(100, 110));
    await reader.settle();
    writeFileSync(`${path}.2${end}`, compress(readFileSync(`${path}.1`)));
    unlinkSync(`${path}.1`);
    await reader.settle();
    assert.equal(reader.text.get('x.log'), lines(0, 110));
    await reader.restart();
    await reader.settle();
    assert.equal(reader.text.get('x.log'), lines(0, 110));
    await reader.close();
  });

  test(`a rotation that was compressed (${name}) before anybody read it is read`, async () => {
    write('x.log', lines(100, 110));
    writeFileSync(join(folder, `x.log.1${end}`), compress(Buffer.from(lines(0, 100))));
    const reader = await new TailReader(folder, 'x.log').settle();
    assert.equal([...reader.text.values()].join(''), lines(0, 110));
    await reader.close();
  });
}

test('half a file read before a kill is read on in its compressed rotation', async () => {
  const path = write('x.log', lines(0, 100));
  const reader = new TailReader(folder, 'x.log', { chunkBytes: 1_500 });
  await reader.one();
  writeFileSync(`${path}.1.gz`, gzipSync(readFileSync(path)));
  unlinkSync(path);
  write('x.log', lines(100, 120));
  await reader.restart();
  await reader.settle();
  assert.equal(reader.text.get('x.log'), lines(0, 120));
  await reader.close();
});

test('a half-written compressed file waits until it is whole', async () => {
  const whole = gzipSync(Buffer.from(lines(0, 3_000)));
  const path = write('x.log.1.gz', whole.subarray(0, whole.length >> 1));
  const reader = new TailReader(folder, 'x.log');
  await reader.one();
  writeFileSync(path, whole);
  await reader.settle();
  assert.equal(reader.text.get('x.log'), lines(0, 3_000));
  await reader.close();
});

test('a file that is deleted while open is read to its end, its folder too', async () => {
  const path = write('app/c/stderr', lines(0, 10));
  const reader = new TailReader(folder, '{application}/{container}/stderr', { chunkBytes: 60 });
  await reader.one();
  appendFileSync(path, lines(10, 20));
  rmSync(join(folder, 'app'), { recursive: true });
  await reader.settle();
  assert.equal(reader.text.get('app/c/stderr'), lines(0, 20));
  assert.deepEqual(reader.ends, ['deleted']);
  await reader.close();
});

test('what is deleted before it could be read is counted', async () => {
  for (let i = 0; i < 4; i += 1) write(`${i}.log`, `${i}: ${lines(0, 10)}`);
  const reader = new TailReader(folder, '*.log', { chunkBytes: 100, maxOpenFiles: 1 });
  for (let i = 0; i < 4; i += 1) await reader.one();
  for (let i = 0; i < 4; i += 1) unlinkSync(join(folder, `${i}.log`));
  await reader.settle();
  await reader.settle();
  const lost = [...reader.metrics.values('tollgate_file_lost_bytes_total').values()][0] ?? 0;
  const read = [...reader.text.values()].join('').length;
  assert.ok(lost > 0, 'three were not held open');
  assert.equal(lost + read, 4 * (lines(0, 10).length + 3));
  await reader.close();
});

test('a file and a folder that came and went between two scans are counted', async () => {
  write('app_1/stderr', lines(0, 1));
  const reader = await new TailReader(folder, '{application}/stderr').settle();
  const path = write('app_2/stderr', 'gone\n');
  rmSync(dirname(path), { recursive: true });
  write('app_1/other', 'not asked for');
  unlinkSync(join(folder, 'app_1/other'));
  // The kernel's word of it comes in the next turns of the event loop.
  const missed = (): number =>
    [...reader.metrics.values('tollgate_files_missed_total').values()][0] ?? 0;
  for (let turns = 0; turns < 1_000 && missed() === 0; turns += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    await reader.settle();
  }
  unlinkSync(join(folder, 'app_1/stderr'));
  for (let turns = 0; turns < 5; turns += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    await reader.settle();
  }
  assert.equal(missed(), 1);
  await reader.close();
});

test('files at rest are opened within a limit and still read as they grow', async () => {
  const paths = Array.from({ length: 30 }, (_, i) => write(`${i}.log`, `a${i}\n`));
  const reader = await new TailReader(folder, '*.log', { maxOpenFiles: 3 }).settle();
  for (const [i, path] of paths.entries()) appendFileSync(path, `b${i}\n`);
  await reader.settle();
  for (const i of paths.keys()) assert.equal(reader.text.get(`${i}.log`), `a${i}\nb${i}\n`);
  await reader.close();
});

test('a new file at an old path, also with the same first lines, is a file of its own', async () => {
  const banner = 'WARNING: Using incubator modules: jdk.incubator.vector\n';
  const path = write('x.log', banner);
  const reader = await new TailReader(folder, 'x.log').settle();
  unlinkSync(path);
  write('x.log', `${banner}second\n`);
  await reader.settle();
  assert.equal(reader.text.get('x.log'), `${banner}${banner}second\n`);
  await reader.close();
});

test('links out of the root are not followed, links within it are', async () => {
  const outside = mkdtempSync(join(tmpdir(), 'outside-'));
  writeFileSync(join(outside, 'secret.log'), 'secret\n');
  write('in/a/x.txt', 'inside\n');
  symlinkSync(join(outside, 'secret.log'), join(folder, 'in', 'secret.log'));
  symlinkSync(outside, join(folder, 'in', 'folder'));
  symlinkSync(join(folder, 'in/a/x.txt'), join(folder, 'in', 'inner.log'));
  const reader = await new TailReader(folder, 'in/**/*.log').settle();
  assert.deepEqual(Object.fromEntries(reader.text), { 'in/inner.log': 'inside\n' });
  rmSync(outside, { recursive: true });
  await reader.close();
});

test('a compressed file can be handed on as it is', async () => {
  const bytes = gzipSync(Buffer.from('x'.repeat(100)));
  write('events_1.gz', bytes);
  let read = Buffer.alloc(0);
  const reader = new TailReader(folder, '*.gz', { decompress: false });
  reader.take = (event) => {
    if (event.kind === 'data') read = Buffer.concat([read, event.bytes]);
  };
  await reader.settle();
  assert.deepEqual(read, bytes);
  await reader.close();
});

test('a position of another input is known and not given up', async () => {
  write('x.log', lines(0, 3));
  write('y.txt', lines(0, 3));
  const other = await new TailReader(folder, 'y.txt').settle();
  await other.close();
  const options = { forgetAfterMs: 5_000, checkpoints: [...other.stored.values()] };
  const reader = await new TailReader(folder, 'x.log', options).settle();
  await reader.settle();
  await reader.settle();
  assert.deepEqual(reader.forgotten, []);
  await reader.close();
});

test('the position of a file that is gone for long is given up', async () => {
  const path = write('x.log', lines(0, 3));
  const reader = await new TailReader(folder, 'x.log', { forgetAfterMs: 5_000 }).settle();
  unlinkSync(path);
  await reader.settle();
  await reader.settle();
  assert.deepEqual(reader.forgotten, [...reader.stored.keys()]);
  await reader.close();
});

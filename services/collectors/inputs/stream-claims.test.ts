import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Checkpoint } from '../../../shared/stores/checkpoint.ts';
import type { Fence } from '../../../shared/stores/lease.ts';
import { markBytes } from './file-position.ts';
import { FileFinder } from './find-files.ts';
import { compilePathPattern } from './path-pattern.ts';
import { isReadTo, StreamClaims } from './stream-claims.ts';

const fence = (shard: number, token = 1n): readonly [number, Fence] => [
  shard,
  { name: `files/x/shard-${shard}`, token },
];
const fences = (...shards: number[]) => new Map(shards.map((one) => fence(one)));
const STREAMS = Array.from({ length: 40 }, (_one, n) => `/logs/app_${n}/stderr`);

function position(stream: string): Checkpoint {
  const at = { offset: 3, stream, head: [1, 'x'] };
  return { source: `p:${stream}|x`, position: JSON.stringify(at) };
}

function claimed(more: Partial<ConstructorParameters<typeof StreamClaims>[0]> = {}) {
  const load = async () => STREAMS.map(position);
  return new StreamClaims({ shards: 4, cluster: 'c', prefix: 'p:', load, ...more });
}

test('streams are read where their shard is, and come with their positions', async () => {
  const [one, two] = [claimed(), claimed()];
  one.assign(fences(0, 1));
  two.assign(fences(2, 3));
  assert.ok(one.changed);
  const [ones, twos] = [await one.take(), await two.take()];
  assert.ok(!one.changed);
  const owned = STREAMS.filter((stream) => one.has(stream));
  assert.deepEqual(ones, owned.map(position));
  assert.ok(owned.length > 10 && owned.length < 30);
  assert.deepEqual(
    STREAMS.filter((stream) => two.has(stream)),
    STREAMS.filter((stream) => !one.has(stream)),
  );
  assert.equal(twos.length + ones.length, STREAMS.length);
  const other = claimed({ cluster: 'd' });
  assert.ok(STREAMS.some((stream) => other.shardOf(stream) !== one.shardOf(stream)));
});

test('a shard is given away when all is stored, and not while something must stay', async () => {
  const claims = claimed();
  claims.assign(fences(0, 1));
  await claims.take();
  let released = false;
  const release = claims.release(1).then(() => {
    released = true;
  });
  claims.assign(fences(0));
  assert.ok(!claims.changed, 'what is being released is not lost');
  assert.ok(!claims.mustLeave, 'it was not offered yet');
  const stream = STREAMS.find((one) => claims.shardOf(one) === 1) ?? '';
  claims.offerToLeave((isConcerned) => isConcerned(stream));
  assert.ok(!claims.mustLeave);
  claims.offerToLeave(() => false);
  assert.ok(claims.mustLeave && claims.isLeaving(stream) && claims.has(stream) && !released);
  claims.left();
  await release;
  assert.ok(!claims.has(stream) && claims.changed);
  assert.deepEqual(claims.fences(), [...fences(0).values()]);
  assert.deepEqual(await claims.take(), []);
});

test('what was assigned and not begun, or ended, keeps nobody waiting', async () => {
  const claims = claimed();
  claims.assign(fences(0, 1));
  await claims.release(1);
  await claims.take();
  assert.deepEqual(claims.fences(), [...fences(0).values()]);
  const waiting = claims.release(0);
  claims[Symbol.dispose]();
  await waiting;
  await claims.release(0);
});

test('a lease that is gone, or came again, is lost: its source begins again', async () => {
  for (const now of [fences(0), new Map([...fences(0), fence(1, 2n)])]) {
    const claims = claimed();
    claims.assign(fences(0, 1));
    await claims.take();
    claims.assign(now);
    assert.ok(claims.changed);
    await assert.rejects(claims.take(), { code: 'FENCED' });
  }
});

test('a file is what was read to a position when its first and last bytes say so', () => {
  const folder = mkdtempSync(join(tmpdir(), 'claims-'));
  const path = join(folder, 'x.log');
  const text = `${'a'.repeat(100)}${'b'.repeat(100)}`;
  const pattern = compilePathPattern(`${folder}/*.log`, '/');
  const finder = new FileFinder([pattern], { decompress: true, isShared: true });
  const isSame = (now: string, offset: number) => {
    writeFileSync(path, now);
    const [file] = finder.find(0);
    assert.ok(file !== undefined);
    assert.equal(file.identity, file.inode.split(':')[1], 'no device, no birth');
    const before = Buffer.from(text.slice(0, offset));
    const tail = markBytes(before.subarray(-64));
    const head = markBytes(Buffer.from(text.slice(0, 50)));
    // The listing is of before it grew.
    const stale = { ...file, size: 10 };
    return isReadTo({ offset, stream: path, head, tail }, stale, Buffer.from(now));
  };
  assert.ok(isSame(text, 200));
  assert.ok(isSame(`${text}more`, 200));
  assert.ok(!isSame(text.slice(0, 150), 200), 'it was cut');
  assert.ok(!isSame(`${text.slice(0, 150)}${'c'.repeat(100)}`, 200), 'the inode was used again');
  assert.ok(!isSame(`c${text}`, 200));
  rmSync(folder, { recursive: true });
});

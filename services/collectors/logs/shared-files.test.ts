import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  LEASE_MS,
  type Sharer,
  SharingCollectors,
} from '../../../test/support/sharing-collectors.ts';

/** Lines of some streams, each said once. */
class Lines {
  readonly written: string[] = [];
  readonly #world: SharingCollectors;
  #rotations = 0;

  constructor(world: SharingCollectors) {
    this.#world = world;
  }

  path(stream: number): string {
    return join(this.#world.folder, `c${stream % 3}`, `x${stream}y.log`);
  }

  append(stream: number, count: number): void {
    const path = this.path(stream);
    mkdirSync(dirname(path), { recursive: true });
    let text = '';
    for (let i = 0; i < count; i += 1) {
      const name = `s${stream} n${String(this.written.length).padStart(5, '0')}\n\tat trace`;
      this.written.push(name);
      text += `26/11/21 07:00:00 INFO File: ${name}\n`;
    }
    appendFileSync(path, text);
  }

  rotate(stream: number): void {
    this.#rotations += 1;
    try {
      renameSync(this.path(stream), `${this.path(stream)}.${this.#rotations}`);
    } catch {
      // It wasn't written to yet.
    }
  }
}

function shardsOf(sharer: Sharer): number {
  const family = sharer.metrics.snapshot().find(({ name }) => name.includes('shared_file_shards'));
  return Number(family?.values[0]?.[1] ?? 0);
}

test('collectors divide the files, and one that comes or goes changes whose they are', async () => {
  await using world = new SharingCollectors();
  const lines = new Lines(world);
  for (let stream = 0; stream < 12; stream += 1) lines.append(stream, 5);
  const a = await world.start();
  await world.pass(LEASE_MS);
  assert.equal(shardsOf(a), 32);
  const b = await world.start();
  await world.pass(2 * LEASE_MS);
  assert.deepEqual([shardsOf(a), shardsOf(b)], [16, 16]);
  for (let stream = 0; stream < 12; stream += 1) lines.append(stream, 5);
  await world.pass(LEASE_MS);
  assert.deepEqual(world.messages, lines.written.toSorted());
  await Promise.all([a.stop(), world.pass(LEASE_MS)]);
  for (let stream = 0; stream < 12; stream += 1) lines.append(stream, 5);
  await world.pass(2 * LEASE_MS);
  assert.equal(shardsOf(b), 32);
  assert.deepEqual(world.messages, lines.written.toSorted());
  assert.equal(world.duplicates, 0, 'each was handed over where it was stored to');
});

test('one that dies is replaced, and what it had read and not stored is read again', async () => {
  await using world = new SharingCollectors();
  const lines = new Lines(world);
  const [a, b] = [await world.start(), await world.start()];
  for (let stream = 0; stream < 8; stream += 1) lines.append(stream, 5);
  await world.pass(2 * LEASE_MS);
  assert.deepEqual(world.messages, lines.written.toSorted());
  a.pause();
  for (let stream = 0; stream < 8; stream += 1) {
    lines.rotate(stream);
    lines.append(stream, 5);
  }
  await world.pass(2 * LEASE_MS);
  assert.equal(shardsOf(b), 32);
  assert.deepEqual(world.messages, lines.written.toSorted());
});

test('one that slept past its lease changes nothing when it wakes up', async () => {
  await using world = new SharingCollectors();
  const lines = new Lines(world);
  const a = await world.start();
  for (let stream = 0; stream < 8; stream += 1) lines.append(stream, 50);
  await world.pass(150);
  a.pause();
  const b = await world.start();
  await world.pass(2 * LEASE_MS);
  assert.deepEqual(world.messages, lines.written.toSorted());
  const positions = await world.checkpoints.checkpoints('');
  a.resume();
  await world.pass(100);
  assert.deepEqual(await world.checkpoints.checkpoints(''), positions);
  for (let stream = 0; stream < 8; stream += 1) lines.append(stream, 5);
  await world.pass(3 * LEASE_MS);
  assert.deepEqual(world.messages, lines.written.toSorted());
  assert.deepEqual([shardsOf(a), shardsOf(b)], [16, 16]);
});

test('a stream whose name changes when its base goes stays with who has read it', async () => {
  await using world = new SharingCollectors();
  const folder = join(world.folder, 'app');
  mkdirSync(folder);
  const [a, b] = [await world.start(), await world.start()];
  await world.pass(2 * LEASE_MS);
  const text = (n: number): string => `26/11/21 07:00:00 INFO File: line ${n}\n`;
  // Enough for a path of each of the two to turn into one of the other.
  for (let n = 0; n < 12; n += 1) writeFileSync(join(folder, `a${n}.log`), text(n));
  await world.pass(LEASE_MS);
  for (let n = 0; n < 12; n += 1) {
    renameSync(join(folder, `a${n}.log`), join(folder, `a${n}-1.log`));
    appendFileSync(join(folder, `a${n}-1.log`), text(n + 100));
  }
  await world.pass(LEASE_MS);
  assert.equal(world.records.size, 24);
  a.pause();
  await world.pass(2 * LEASE_MS);
  assert.equal(shardsOf(b), 32);
  for (let n = 0; n < 12; n += 1) appendFileSync(join(folder, `a${n}-1.log`), text(n + 200));
  await world.pass(LEASE_MS);
  assert.equal(world.records.size, 36);
});

test('a deleted file is read to its end by who has it open', async () => {
  await using world = new SharingCollectors();
  const lines = new Lines(world);
  await world.start();
  for (let stream = 0; stream < 8; stream += 1) lines.append(stream, 5);
  await world.pass(2 * LEASE_MS);
  for (let stream = 0; stream < 8; stream += 1) {
    lines.append(stream, 5);
    unlinkSync(lines.path(stream));
  }
  await world.start();
  await world.pass(3 * LEASE_MS);
  assert.deepEqual(world.messages, lines.written.toSorted());
});

test('property: whoever comes, sleeps, wakes and dies, each event is stored once', async () => {
  const stream = fc.integer({ min: 0, max: 5 });
  const who = fc.integer({ min: 0, max: 2 });
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ does: fc.constant('append' as const), stream }) },
    { weight: 2, arbitrary: fc.record({ does: fc.constant('rotate' as const), stream }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constant('start' as const) }) },
    { weight: 2, arbitrary: fc.record({ does: fc.constant('pause' as const), who }) },
    { weight: 2, arbitrary: fc.record({ does: fc.constant('resume' as const), who }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constant('stop' as const), who }) },
  );
  const timed = fc.tuple(step, fc.integer({ min: 0, max: LEASE_MS }));
  await fc.assert(
    fc.asyncProperty(fc.array(timed, { maxLength: 20 }), async (steps) => {
      await using world = new SharingCollectors();
      const lines = new Lines(world);
      await world.start();
      for (const [one, ms] of steps) {
        if (one.does === 'append') lines.append(one.stream, 3);
        else if (one.does === 'rotate') lines.rotate(one.stream);
        else if (one.does === 'start' && world.all.length < 3) await world.start();
        else if (one.does === 'pause') world.all[one.who]?.pause();
        else if (one.does === 'resume') world.all[one.who]?.resume();
        else if (one.does === 'stop') void world.all[one.who]?.stop();
        await world.pass(ms);
      }
      // Whoever sleeps or has stopped by now is dead; one more reads what they left.
      await world.start();
      await world.pass(4 * LEASE_MS);
      assert.deepEqual(world.messages, lines.written.toSorted());
    }),
    { numRuns: 6 },
  );
});

test('files that no other process could share are a problem of the configuration', async () => {
  await using world = new SharingCollectors();
  await assert.rejects(world.start({}, false), {
    code: 'CONFIG_INVALID',
    message: /^logs\.files\[0\]\.shared: .*stores\.ledger and stores\.logs.*set shared to false/,
  });
});

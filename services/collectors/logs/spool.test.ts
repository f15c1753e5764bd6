import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import fc from 'fast-check';
import { silentLogger } from '../../../shared/telemetry/logger.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { Spool, type SpoolFrame, type SpoolPosition } from './spool.ts';
import { parseFrame, printFrame } from './spool-frame.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spool-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const never = new AbortController().signal;

function open(from?: SpoolPosition, maxBytes = 1 << 20): Spool {
  const clock = new FakeClock();
  return new Spool({ folder, maxBytes, segmentBytes: 200, from, clock, logger: silentLogger });
}

const text = ({ payload }: SpoolFrame): string => payload.toString();

async function drain(spool: Spool): Promise<SpoolFrame[]> {
  await spool.close();
  const frames: SpoolFrame[] = [];
  for (;;) {
    const more = await spool.take(100);
    if (more.length === 0) return frames;
    frames.push(...more);
  }
}

test('frames come out as they went in, over many segments', async () => {
  await using spool = open();
  const sent = Array.from({ length: 50 }, (_, i) => `frame ${i} ${'x'.repeat(i)}`);
  for (const one of sent) await spool.append(Buffer.from(one), never);
  assert.ok(readdirSync(folder).length > 5);
  assert.deepEqual((await drain(spool)).map(text), sent);
});

test('what was taken and not released comes again after a restart, what was released does not', async () => {
  let position: SpoolPosition | undefined;
  {
    await using spool = open();
    for (let i = 0; i < 20; i += 1) await spool.append(Buffer.from(`frame ${i}`), never);
    const frames = await drain(spool);
    position = frames[11]?.end;
  }
  await using spool = open(position);
  await spool.append(Buffer.from('new'), never);
  const rest = (await drain(spool)).map(text);
  assert.deepEqual(rest, [...Array.from({ length: 8 }, (_, i) => `frame ${12 + i}`), 'new']);
});

test('segments are removed when all before a position is released', async () => {
  await using spool = open();
  for (let i = 0; i < 20; i += 1) await spool.append(Buffer.alloc(90), never);
  const before = readdirSync(folder).length;
  const frames = await drain(spool);
  const last = frames.at(-1);
  assert.ok(last !== undefined);
  spool.release(last.end);
  assert.ok(before > 5 && readdirSync(folder).length === 1);
  assert.equal(spool.bytes, 0);
});

test('a torn last frame is skipped, and the frames of the next start follow', async () => {
  {
    await using spool = open();
    await spool.append(Buffer.from('whole'), never);
  }
  const [name = ''] = readdirSync(folder);
  const bytes = readFileSync(join(folder, name));
  appendFileSync(join(folder, name), bytes.subarray(0, bytes.length - 2));
  await using spool = open();
  await spool.append(Buffer.from('after'), never);
  assert.deepEqual((await drain(spool)).map(text), ['whole', 'after']);
});

test('a frame whose bytes changed is not handed out', async () => {
  {
    await using spool = open();
    await spool.append(Buffer.from('one'), never);
  }
  const [name = ''] = readdirSync(folder);
  const bytes = readFileSync(join(folder, name));
  bytes.writeUInt8((bytes.at(-1) ?? 0) ^ 1, bytes.length - 1);
  writeFileSync(join(folder, name), bytes);
  await using spool = open();
  await spool.append(Buffer.from('two'), never);
  assert.deepEqual((await drain(spool)).map(text), ['two']);
});

test('a full spool holds senders back until there is room', async () => {
  await using spool = open(undefined, 300);
  await spool.append(Buffer.alloc(200), never);
  let done = false;
  const waiting = spool.append(Buffer.alloc(200), never).then(() => {
    done = true;
  });
  const [frame] = await spool.take(1);
  assert.ok(frame !== undefined);
  assert.equal(done, false);
  spool.release(frame.end);
  await waiting;
  assert.equal(spool.bytes, 208);
});

test('a sender that is told to give up does', async () => {
  await using spool = open(undefined, 300);
  await spool.append(Buffer.alloc(200), never);
  const stop = new AbortController();
  const waiting = spool.append(Buffer.alloc(200), stop.signal);
  stop.abort(new Error('enough'));
  await assert.rejects(waiting, /enough/);
});

test('a frame larger than the spool passes when it is alone', async () => {
  await using spool = open(undefined, 100);
  await spool.append(Buffer.alloc(5_000, 'x'), never);
  assert.equal((await drain(spool))[0]?.payload.length, 5_000);
});

test('any appends, takes, releases and restarts give every frame once, in order', async () => {
  const action = fc.constantFrom('append', 'append', 'take', 'restart');
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 30 }), async (actions) => {
      rmSync(folder, { recursive: true, force: true });
      let position: SpoolPosition | undefined;
      let spool = open();
      let sent = 0;
      const got: string[] = [];
      const keep = (frames: readonly SpoolFrame[]): void => {
        got.push(...frames.map(text));
        position = frames.at(-1)?.end ?? position;
        if (position !== undefined) spool.release(position);
      };
      for (const what of actions) {
        if (what === 'append') await spool.append(Buffer.from(`f${sent++}`.padEnd(60)), never);
        if (what === 'take' && sent > got.length) keep(await spool.take(70));
        if (what === 'restart') {
          await spool[Symbol.asyncDispose]();
          spool = open(position);
        }
      }
      keep(await drain(spool));
      await spool[Symbol.asyncDispose]();
      assert.deepEqual(
        got.map((one) => one.trim()),
        Array.from({ length: sent }, (_, i) => `f${i}`),
      );
    }),
    { numRuns: 40 },
  );
});

test('a frame of events is read back, any bytes in them', () => {
  const head = { cluster: 'main', zone: 'UTC', observedAt: 5 };
  const bytes = fc.uint8Array({ maxLength: 50 }).map((one) => Buffer.from(one));
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 10 }), (events) => {
      assert.deepEqual(parseFrame(printFrame(head, events)), { head, events });
    }),
  );
  for (const wrong of ['', 'x', '{}\n', '[1]\n', '{"cluster":1}\n']) {
    assert.equal(parseFrame(Buffer.from(wrong)), undefined);
  }
});

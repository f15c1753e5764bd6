import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BulkServer, LeapingClock } from '../../../test/support/bulk-server.ts';
import { AppError } from '../../errors/app-error.ts';
import { bulkLine } from './bulk-body.ts';
import { BulkSender } from './bulk-sender.ts';

const BUSY = { status: 429, body: { error: { type: 'es_rejected_execution_exception' } } };

function setUp(
  over: Partial<{ bulkBytes: number; concurrentBulks: number; retryForMs: number }> = {},
) {
  const server = new BulkServer();
  const clock = new LeapingClock();
  const sender = new BulkSender({
    requests: server,
    clock,
    random: () => 1,
    bulkBytes: 100_000,
    concurrentBulks: 2,
    retryForMs: 5_000,
    ...over,
  });
  return { server, clock, sender };
}

function lines(count: number, options: { bytes?: number; index?: string; from?: number } = {}) {
  const { bytes = 20, index = 'i', from = 0 } = options;
  return Array.from({ length: count }, (_, i) =>
    bulkLine(index, `id-${from + i}`, JSON.stringify('x'.repeat(bytes))),
  );
}

test('lines go in bulks no larger than they may be, no more at a time than they may be', async () => {
  const { server, sender } = setUp({ bulkBytes: 10_000 });
  assert.deepEqual(await sender.send(lines(100, { bytes: 1_000 })), {
    stored: 100,
    duplicates: 0,
    refused: [],
  });
  assert.ok(server.bulks.every(({ bytes }) => bytes <= 10_000));
  assert.equal(server.most, 2);
  assert.equal(server.documents.size, 100);
});

test('a line larger than a bulk goes alone', async () => {
  const { server, sender } = setUp({ bulkBytes: 1_000 });
  await sender.send(lines(3, { bytes: 5_000 }));
  assert.deepEqual(
    server.bulks.map(({ ids }) => ids.length),
    [1, 1, 1],
  );
});

test('calls that come while bulks are under way share the next one', async () => {
  const { server, sender } = setUp({ concurrentBulks: 1 });
  const calls = Array.from({ length: 50 }, (_, i) => sender.send(lines(2, { from: i * 2 })));
  const results = await Promise.all(calls);
  assert.ok(results.every(({ stored }) => stored === 2));
  assert.equal(server.bulks.length, 2);
});

test('what is there already is a success, and counted', async () => {
  const { sender } = setUp();
  await sender.send(lines(3));
  assert.deepEqual(await sender.send(lines(5)), { stored: 2, duplicates: 3, refused: [] });
});

test('a busy server is asked again after longer and longer waits, with smaller bulks', async () => {
  const { server, clock, sender } = setUp({ concurrentBulks: 1 });
  let refusals = 4;
  server.instead = () => (refusals-- > 0 ? BUSY : undefined);
  await sender.send(lines(500, { bytes: 100 }));
  assert.deepEqual(clock.sleeps.slice(0, 4), [100, 200, 400, 800]);
  assert.ok((server.bulks[4]?.bytes ?? 0) <= (server.bulks[0]?.bytes ?? 0) / 3);
  assert.equal(server.documents.size, 500);
});

test('of a bulk that is half refused only that half is sent again', async () => {
  const { server, sender } = setUp();
  const refused = new Set(['id-1', 'id-3']);
  server.insteadOf = (id) =>
    refused.delete(id)
      ? { status: 429, error: { type: 'es_rejected_execution_exception' } }
      : undefined;
  assert.equal((await sender.send(lines(4))).stored, 4);
  assert.deepEqual(
    server.bulks.map(({ ids }) => ids),
    [
      ['id-0', 'id-1', 'id-2', 'id-3'],
      ['id-1', 'id-3'],
    ],
  );
});

test('a document that never fits is handed back, and the others are stored', async () => {
  const { server, sender } = setUp();
  server.insteadOf = (id) =>
    id === 'id-2'
      ? { status: 400, error: { type: 'document_parsing_exception', reason: 'no' } }
      : undefined;
  const result = await sender.send(lines(4));
  assert.equal(result.stored, 3);
  assert.deepEqual(result.refused, [{ position: 2, why: '400 document_parsing_exception: no' }]);
});

test('a bulk that is too large goes in smaller pieces at once; a line too large for all is handed back', async () => {
  const { server, clock, sender } = setUp();
  server.instead = ({ bytes }) => (bytes > 3_000 ? { status: 413, body: '' } : undefined);
  const [huge, ...rest] = [...lines(1, { bytes: 9_000, from: 99 }), ...lines(40, { bytes: 500 })];
  assert.ok(huge !== undefined);
  const result = await sender.send([...rest, huge]);
  assert.equal(result.stored, 40);
  assert.deepEqual(
    result.refused.map(({ position }) => position),
    [40],
  );
  assert.deepEqual(clock.sleeps, []);
});

for (const [what, fault, code] of [
  ['no answer', new AppError('STORE_UNAVAILABLE', 'down'), 'STORE_UNAVAILABLE'],
  ['503', { status: 503, body: '' }, 'STORE_UNAVAILABLE'],
  [
    'a full disk',
    { status: 429, body: { error: { type: 'cluster_block_exception' } } },
    'DISK_FULL',
  ],
  ['a missing right', { status: 403, body: {} }, 'STORE_MISCONFIGURED'],
  ['a page of a proxy', { status: 200, body: '<html>' }, 'STORE_UNAVAILABLE'],
] as const) {
  test(`${what} fails the call with ${code} once its time is over, and no sooner`, async () => {
    const { server, clock, sender } = setUp();
    server.instead = () => fault;
    const start = clock.elapsed();
    await assert.rejects(sender.send(lines(2)), { code });
    assert.equal(clock.elapsed() - start, 5_000);
    server.instead = () => undefined;
    assert.equal((await sender.send(lines(2))).stored, 2, 'the next call goes well');
  });
}

test('a call that makes headway has all the time that it needs', async () => {
  const { server, clock, sender } = setUp({ bulkBytes: 1_000, retryForMs: 300 });
  let turn = 0;
  server.instead = () => (++turn % 3 === 0 ? undefined : BUSY);
  const start = clock.elapsed();
  assert.equal((await sender.send(lines(100, { bytes: 300 }))).stored, 100);
  assert.ok(clock.elapsed() - start > 1_000);
});

test('a bug is told at once', async () => {
  const { server, clock, sender } = setUp();
  server.instead = () => new TypeError('x is no function');
  await assert.rejects(sender.send(lines(2)), TypeError);
  assert.deepEqual(clock.sleeps, []);
});

test('an index that refuses all keeps no other index waiting', async () => {
  const { server, sender } = setUp({ concurrentBulks: 1 });
  server.insteadOf = (_, index) =>
    index === 'blocked' ? { status: 403, error: { type: 'cluster_block_exception' } } : undefined;
  const blocked = assert.rejects(sender.send(lines(5, { index: 'blocked' })), {
    code: 'STORE_MISCONFIGURED',
    message: /cluster_block_exception.*stores check/,
  });
  assert.equal((await sender.send(lines(5, { index: 'free' }))).stored, 5);
  await blocked;
});

test('closing sends what waits once, and tries nothing again', async () => {
  const { server, sender } = setUp({ concurrentBulks: 1 });
  const good = Array.from({ length: 5 }, (_, i) => sender.send(lines(2, { from: i * 2 })));
  await sender[Symbol.asyncDispose]();
  assert.equal((await Promise.all(good)).length, 5);
  assert.equal(server.documents.size, 10);
  await assert.rejects(sender.send(lines(1)), { code: 'STORE_UNAVAILABLE' });
});

test('closing fails what a server that is away has not taken', async () => {
  const { server, sender } = setUp();
  server.instead = () => new AppError('STORE_UNAVAILABLE', 'down');
  const failed = assert.rejects(sender.send(lines(2)), { code: 'STORE_UNAVAILABLE' });
  await sender[Symbol.asyncDispose]();
  await failed;
});

test('whatever the server answers, what was acknowledged is stored, each line once', async () => {
  const answer = fc.constantFrom('ok', 'busy', 'half', 'cut', 'away', 'large');
  await fc.assert(
    fc.asyncProperty(
      fc.array(answer, { maxLength: 30 }),
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 5 }),
      async (faults, calls) => {
        const { server, sender } = setUp({ bulkBytes: 2_000, retryForMs: 2_000 });
        const turns = [...faults];
        server.instead = ({ ids }) => {
          const fault = turns.shift();
          if (fault === 'busy') return BUSY;
          if (fault === 'large') return { status: 413, body: '' };
          if (fault === 'away') return new AppError('STORE_UNAVAILABLE', 'away');
          if (fault !== 'cut' && fault !== 'half') return undefined;
          const taken = fault === 'cut' ? ids : ids.slice(0, ids.length / 2);
          for (const id of taken) server.documents.add(`i/${id}`);
          return new AppError('STORE_UNAVAILABLE', 'cut after storing');
        };
        let from = 0;
        const sent = calls.map((count) => {
          const own = lines(count, { from, bytes: 100 });
          from += count;
          return sender.send(own).then(
            (result) => ({ own, result }),
            () => ({ own, result: undefined }),
          );
        });
        for (const { own, result } of await Promise.all(sent)) {
          if (result === undefined) continue;
          const refused = new Set(result.refused.map(({ position }) => position));
          for (const [i, { id }] of own.entries()) {
            assert.ok(refused.has(i) || server.documents.has(`i/${id}`), id);
          }
          assert.equal(result.stored + result.duplicates + refused.size, own.length);
        }
        await sender[Symbol.asyncDispose]();
      },
    ),
    { numRuns: 60 },
  );
});

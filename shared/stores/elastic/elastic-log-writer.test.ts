import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AT, logRecord } from '../../../test/contracts/log-store-suite.ts';
import { type Answer, AnsweringServer } from '../../../test/support/answering-server.ts';
import { BulkServer, LeapingClock } from '../../../test/support/bulk-server.ts';
import { dailyPlaces } from '../../../test/support/daily-places.ts';
import { MapCheckpoints } from '../../../test/support/map-checkpoints.ts';
import { AppError } from '../../errors/app-error.ts';
import { must } from '../../errors/assert.ts';
import type { RefusedLog } from '../log-store.ts';
import { elasticConfig } from './config.ts';
import { documentId } from './elastic-log-document.ts';
import { openElasticClient } from './open-elastic-client.ts';
import { openElasticLogReader } from './open-elastic-log-reader.ts';
import { openElasticLogWriter } from './open-elastic-log-writer.ts';

function says(body: unknown, status = 200): Answer {
  const headers = { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' };
  return { text: JSON.stringify(body), status, headers };
}

const items = (...all: object[]): Answer => says({ items: all.map((create) => ({ create })) });
const BUSY = { status: 429, error: { type: 'es_rejected_execution_exception', reason: 'full' } };
const CHECKPOINT = [{ source: 'file:1', position: '2' }];
const TWO = [logRecord({ origin: 'file:1#0' }), logRecord({ origin: 'file:1#1' })];

/** Both ports on a web server that gives set answers. */
async function setUp(
  onRefused?: (refused: readonly RefusedLog[]) => Promise<void>,
  retryForMs = 400,
) {
  const server = await AnsweringServer.open();
  const config = elasticConfig.parse({ url: server.url, requestTimeoutMs: 1_000, retryForMs });
  const client = openElasticClient(config);
  const places = dailyPlaces('tollgate-logs');
  const clock = new LeapingClock();
  const checkpoints = new MapCheckpoints();
  let ids = 0;
  const randomIds: string[] = [];
  const writer = openElasticLogWriter({
    client,
    config,
    places,
    checkpoints,
    clock,
    random: () => 1,
    randomId: () => {
      ids += 1;
      randomIds.push(`random-${ids}`);
      return `random-${ids}`;
    },
    onRefused: onRefused ?? (() => Promise.reject(new Error('nothing is refused'))),
  });
  const reader = openElasticLogReader({ client, config, places });
  return {
    server,
    clock,
    checkpoints,
    writer,
    reader,
    randomIds,
    async [Symbol.asyncDispose]() {
      await writer[Symbol.asyncDispose]();
      await client.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

test('checkpoints are saved after the acknowledgement, beginnings before the first line', async () => {
  await using bench = await setUp();
  bench.server.set({ '/_bulk': says({}, 503) });
  const begins = [{ source: 'file:1', position: '0' }];
  const batch = { records: TWO, checkpoints: CHECKPOINT, begins };
  await assert.rejects(bench.writer.write(batch), { code: 'STORE_UNAVAILABLE' });
  assert.deepEqual(bench.checkpoints.history, begins);
  bench.server.set({ '/_bulk': items({ status: 201 }, { status: 409 }) });
  assert.deepEqual(await bench.writer.write(batch), { stored: 1, duplicates: 1 });
  assert.deepEqual(await bench.writer.checkpoints('file:'), CHECKPOINT);
});

for (const [what, answer, code] of [
  ['429', says({ error: { type: 'es_rejected_execution_exception' } }, 429), 'STORE_UNAVAILABLE'],
  ['503 of a proxy', { text: 'no upstream', status: 503 }, 'STORE_UNAVAILABLE'],
  ['a half refused bulk', items({ status: 201 }, BUSY), 'STORE_UNAVAILABLE'],
  ['an answer that breaks off', { breakOff: true }, 'STORE_UNAVAILABLE'],
  ['no answer in time', { never: true }, 'STORE_UNAVAILABLE'],
  ['403', says({ error: { type: 'security_exception' } }, 403), 'STORE_MISCONFIGURED'],
  ['another web server', { text: '<html>' }, 'STORE_MISCONFIGURED'],
] as const) {
  test(`${what} fails the write with ${code}, and no checkpoint moves`, async () => {
    // One that never answers is waited for once, since its timeout is long.
    await using bench = await setUp(undefined, 'never' in answer ? 0 : 400);
    bench.server.set({ '/_bulk': answer });
    const batch = { records: TWO, checkpoints: CHECKPOINT };
    await assert.rejects(bench.writer.write(batch), { code });
    assert.deepEqual(bench.checkpoints.history, []);
  });
}

test('what is refused for good is kept elsewhere before the checkpoint moves', async () => {
  const bad = { status: 400, error: { type: 'document_parsing_exception', reason: 'no date' } };
  const kept: RefusedLog[] = [];
  await using bench = await setUp(async (refused) => {
    assert.deepEqual(bench.checkpoints.history, []);
    kept.push(...refused);
  });
  bench.server.set({ '/_bulk': items({ status: 201 }, bad) });
  const result = await bench.writer.write({ records: TWO, checkpoints: CHECKPOINT });
  assert.deepEqual(result, { stored: 1, duplicates: 0 });
  assert.deepEqual(kept, [{ record: TWO[1], why: '400 document_parsing_exception: no date' }]);
  assert.deepEqual(bench.checkpoints.history, CHECKPOINT);
});

test('a refused record that cannot be kept elsewhere fails the write', async () => {
  await using bench = await setUp();
  const bad = { status: 400, error: { type: 'document_parsing_exception' } };
  bench.server.set({ '/_bulk': items(bad, { status: 201 }) });
  await assert.rejects(bench.writer.write({ records: TWO, checkpoints: CHECKPOINT }), /nothing is/);
  assert.deepEqual(bench.checkpoints.history, []);
});

test('a record without identity keeps its random one when the write is made again', async () => {
  await using bench = await setUp();
  const records = [logRecord()];
  bench.server.set({ '/_bulk': says({}, 503) });
  await assert.rejects(bench.writer.write({ records, checkpoints: [] }));
  bench.server.set({ '/_bulk': items({ status: 409 }) });
  assert.equal((await bench.writer.write({ records, checkpoints: [] })).duplicates, 1);
  assert.deepEqual(bench.randomIds, ['random-1']);
});

test('a closed writer says so', async () => {
  await using bench = await setUp();
  await bench.writer[Symbol.asyncDispose]();
  await assert.rejects(bench.writer.write({ records: TWO, checkpoints: [] }), {
    code: 'STORE_UNAVAILABLE',
  });
});

const SPAN = { from: AT, until: AT + 1, limit: 1 };
const PROJECT = logRecord().project;

for (const [what, answer, code] of [
  [
    'that takes too long',
    says({ responses: [{ timed_out: true, hits: { hits: [] } }] }),
    'STORE_UNAVAILABLE',
  ],
  [
    'of which a shard is away',
    says({ responses: [{ status: 503, error: {} }] }),
    'STORE_UNAVAILABLE',
  ],
  ['that is too much now', says({ error: {} }, 429), 'STORE_UNAVAILABLE'],
  [
    'without the right to it',
    says({ responses: [{ status: 403, error: {} }] }),
    'STORE_MISCONFIGURED',
  ],
  ['that breaks off', { breakOff: true }, 'STORE_UNAVAILABLE'],
] as const) {
  test(`a search ${what} fails with ${code}, and gives no half page`, async () => {
    await using bench = await setUp();
    bench.server.set({ '/_msearch': answer });
    await assert.rejects(bench.reader.search(PROJECT, SPAN), { code });
  });
}

test('a span without a place asks for nothing, since no index named would be all', async () => {
  await using bench = await setUp();
  const nothing = { ...SPAN, until: SPAN.from };
  assert.deepEqual(await bench.reader.search(PROJECT, nothing), { records: [] });
  assert.deepEqual(await bench.reader.fingerprints(PROJECT, nothing), []);
  assert.deepEqual(bench.server.asked, []);
});

test('what another process has taken over is neither stored nor marked as read', async () => {
  await using at = await setUp();
  const fences = [{ name: 'files/logs/shard-1', token: 1n }];
  const lost = new AppError('FENCED', 'another process has taken over');
  at.checkpoints.save = () => Promise.reject(lost);
  const batch = { records: TWO, checkpoints: CHECKPOINT, fences };
  await assert.rejects(at.writer.write(batch), { code: 'FENCED' });
  assert.equal(at.server.asked.length, 0, 'it asks before it sends');
});

test('of a write larger than a bulk each refused record is told by name', async () => {
  const server = new BulkServer();
  const records = Array.from({ length: 2_500 }, (_, n) => logRecord({ id: `event ${n}` }));
  const bad = new Set(
    [1, 999, 1_000, 2_499].map((n) => documentId(must(records[n], 'there are so many')) ?? ''),
  );
  const reason = { type: 'document_parsing_exception', reason: 'no' };
  server.insteadOf = (id) => (bad.has(id) ? { status: 400, error: reason } : undefined);
  const transport = {
    request: async ({
      method,
      path,
      bulkBody,
    }: {
      method: 'POST';
      path: string;
      bulkBody: string;
    }) => {
      const { status, body } = await server.send({ method, path, lines: bulkBody });
      return { statusCode: status, body };
    },
  };
  const refused: RefusedLog[] = [];
  await using writer = openElasticLogWriter({
    client: { transport } as never,
    config: elasticConfig.parse({ url: 'http://elastic.test', bulkBytes: 65_536 }),
    places: dailyPlaces('tollgate-logs'),
    checkpoints: new MapCheckpoints(),
    clock: new LeapingClock(),
    random: () => 1,
    randomId: () => assert.fail('each has an id'),
    onRefused: async (some) => {
      refused.push(...some);
    },
  });
  const result = await writer.write({ records, checkpoints: [] });
  assert.deepEqual(result, { stored: 2_496, duplicates: 0 });
  assert.equal(server.documents.size, 2_496);
  assert.ok(server.bulks.length > 1);
  const names = refused.map(({ record }) => record.id);
  assert.deepEqual(names, ['event 1', 'event 999', 'event 1000', 'event 2499']);
});

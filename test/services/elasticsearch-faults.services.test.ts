import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { LogRecord } from '../../shared/contracts/log-record.ts';
import { AppError } from '../../shared/errors/app-error.ts';
import { must } from '../../shared/errors/assert.ts';
import { DAY_MS } from '../../shared/values/instant.ts';
import { AT, logRecord } from '../contracts/log-store-suite.ts';
import { LeapingClock } from '../support/bulk-server.ts';
import { type ElasticBench, openElasticBench } from '../support/elastic-bench.ts';
import { CuttingProxy } from './servers/cutting-proxy.ts';
import { type ElasticsearchServer, startElasticsearch } from './servers/elasticsearch.ts';

const EVER = { from: 0, until: Date.UTC(2040, 0, 1), limit: 1_000 };
const RECOVERED_WITHIN_MS = 30_000;

let server: ElasticsearchServer | undefined;
before(async () => {
  // Small enough that a few writers at once are too many.
  server = await startElasticsearch({
    settings: {
      'indexing_pressure.memory.limit': '256kb',
      'thread_pool.write.queue_size': '1',
      'http.max_content_length': '1mb',
    },
  });
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
});

const running = (): ElasticsearchServer => must(server, 'the server was started');

function batchOf(turn: number, records = 500): LogRecord[] {
  return Array.from({ length: records }, (_, i) => {
    const place = turn * records + i;
    return logRecord({
      at: AT + place,
      message: `line ${place} ${'of some words '.repeat(10)}`,
      origin: `file:1#${place * 100}+100`,
    });
  });
}

/** Writes as a collector does: a batch that failed is written again until it is taken. */
async function deliver(bench: ElasticBench, turn: number, faults: AppError[]): Promise<number> {
  const records = batchOf(turn);
  const checkpoints = [{ source: `file:${turn % 4}`, position: String(turn) }];
  for (;;) {
    try {
      const { stored } = await bench.writer.write({ records, checkpoints });
      return stored;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'STORE_UNAVAILABLE') throw error;
      faults.push(error);
      await wait(100);
    }
  }
}

/** All turns, four at a time; resolves to what the server said it stored anew. */
async function load(bench: ElasticBench, turns: number, faults: AppError[]): Promise<number> {
  let next = 0;
  let stored = 0;
  const one = async (): Promise<void> => {
    for (let turn = next++; turn < turns; turn = next++)
      stored += await deliver(bench, turn, faults);
  };
  await Promise.all([one(), one(), one(), one()]);
  return stored;
}

test('a server killed in the middle of load and started again loses and doubles nothing', async (t) => {
  const { url, process } = running();
  await using bench = await openElasticBench({ url, config: { retryForMs: 2_000 } });
  const faults: AppError[] = [];
  const done = load(bench, 60, faults);
  while (bench.checkpoints.history.length < 10) await wait(20);
  const node = must(process, 'the server is the test’s own');
  await node.kill();
  const lastBefore = bench.checkpoints.history.length;
  await node.start();
  const yellow = performance.now();
  while (bench.checkpoints.history.length === lastBefore) await wait(20);
  const recoveredMs = performance.now() - yellow;
  await done;
  t.diagnostic(
    `${faults.length} writes failed; first write ${Math.round(recoveredMs)} ms after yellow`,
  );
  assert.ok(faults.length > 0, 'the fault was felt');
  assert.equal(await bench.count(), 60 * 500);
  assert.ok(recoveredMs < RECOVERED_WITHIN_MS * 3, `${recoveredMs} ms`);
});

test('a server that takes little at a time is written to in smaller pieces, all of it', async (t) => {
  const { url } = running();
  const faults: AppError[] = [];
  await using bench = await openElasticBench({
    url,
    config: { concurrentBulks: 8, bulkBytes: 3_000_000, retryForMs: 1_000 },
  });
  const refusals = new Map<number, number>();
  bench.client.diagnostic.on('response', (_, answer) => {
    const status = answer?.statusCode ?? 0;
    const body = JSON.stringify(answer?.body ?? '');
    const counted = status === 200 && body.includes('"status":429') ? 429.2 : status;
    refusals.set(counted, (refusals.get(counted) ?? 0) + 1);
  });
  // More in one call than the server takes in one request.
  const big = batchOf(0, 12_000);
  const write = async (): Promise<void> => {
    for (;;) {
      try {
        await bench.writer.write({ records: big, checkpoints: [] });
        return;
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'STORE_UNAVAILABLE') throw error;
        faults.push(error);
      }
    }
  };
  await Promise.all([write(), load(bench, 40, faults)]);
  const counts = [...refusals].map(([status, count]) => `${status} × ${count}`).join(', ');
  t.diagnostic(`answers: ${counts}; ${faults.length} writes failed and were made again`);
  assert.ok((refusals.get(413) ?? 0) > 0, 'a body was too large');
  assert.ok((refusals.get(429) ?? 0) + (refusals.get(429.2) ?? 0) > 0, 'the server was too busy');
  assert.deepEqual(bench.refused, []);
  assert.equal(await bench.count(), 40 * 500);
});

test('a cut network is waited for, and what was sent twice is stored once', async (t) => {
  const { url } = running();
  await using proxy = await CuttingProxy.start({
    host: '127.0.0.1',
    port: Number(new URL(url).port),
  });
  await using bench = await openElasticBench({
    url,
    through: `http://127.0.0.1:${proxy.port}`,
    config: { retryForMs: 1_000 },
  });
  const faults: AppError[] = [];
  const done = load(bench, 40, faults);
  for (let cut = 0; cut < 3; cut += 1) {
    const seen = bench.checkpoints.history.length;
    while (bench.checkpoints.history.length < seen + 4) await wait(10);
    proxy.cut();
    await wait(cut === 2 ? 5_000 : 300);
    proxy.mend();
  }
  const mended = performance.now();
  await done;
  t.diagnostic(
    `${faults.length} writes failed; done ${Math.round(performance.now() - mended)} ms after`,
  );
  assert.equal(await bench.count(), 40 * 500);
});

test('a whole batch delivered twice is stored once', async () => {
  await using bench = await openElasticBench({ url: running().url });
  const batch = { records: batchOf(0), checkpoints: [{ source: 'file:1', position: 'x' }] };
  assert.deepEqual(await bench.writer.write(batch), { stored: 500, duplicates: 0 });
  assert.deepEqual(await bench.writer.write(batch), { stored: 0, duplicates: 500 });
  assert.equal(await bench.count(), 500);
});

test('a line without a time that is read again after midnight is still stored once', async () => {
  const clock = new LeapingClock(AT);
  await using bench = await openElasticBench({ url: running().url, clock });
  const line = (at: number) =>
    logRecord({ at, marks: ['time-observed'], origin: 'file:1#0+9', message: 'no time' });
  const begins = [{ source: 'file:1', position: '0' }];
  await bench.writer.write({ records: [line(AT)], checkpoints: [], begins });
  await clock.sleep(DAY_MS, new AbortController().signal);
  const next = logRecord({ at: AT + DAY_MS, origin: 'file:1#9+9' });
  assert.deepEqual(
    await bench.writer.write({ records: [line(AT + DAY_MS), next], checkpoints: begins }),
    { stored: 1, duplicates: 1 },
  );
  assert.equal(await bench.count(), 2);
});

test('records that an index can never take are handed back before the checkpoint moves', async () => {
  await using bench = await openElasticBench({ url: running().url });
  const index = `${bench.config.indexPrefix}-etl~2026-11-21`;
  await bench.client.indices.create({
    index,
    mappings: { properties: { thread: { type: 'integer' } } },
  });
  const good = logRecord({ thread: '7', message: 'good' });
  const bad = logRecord({ thread: 'main', message: 'bad' });
  const checkpoints = [{ source: 's', position: '1' }];
  const result = await bench.writer.write({ records: [good, bad], checkpoints });
  assert.deepEqual(result, { stored: 1, duplicates: 0 });
  assert.deepEqual(
    bench.refused.map(({ record }) => record.message),
    ['bad'],
  );
  assert.match(bench.refused[0]?.why ?? '', /^400 document_parsing_exception/);
  assert.deepEqual(bench.checkpoints.history, checkpoints);
});

test('a write into an index that a person blocked fails and says so; unblocked, it goes on', async () => {
  await using bench = await openElasticBench({ url: running().url, config: { retryForMs: 300 } });
  const batch = { records: batchOf(0, 10), checkpoints: [{ source: 's', position: '1' }] };
  await bench.writer.write({ records: [logRecord()], checkpoints: [] });
  const index = `${bench.config.indexPrefix}-*`;
  await bench.client.indices.putSettings({ index, settings: { 'index.blocks.write': true } });
  await assert.rejects(bench.writer.write(batch), {
    code: 'STORE_MISCONFIGURED',
    message: /blocked/,
  });
  // What Elasticsearch sets by itself when a disk is nearly full, and takes away again.
  const full = { 'index.blocks.write': false, 'index.blocks.read_only_allow_delete': true };
  await bench.client.indices.putSettings({ index, settings: full });
  await assert.rejects(bench.writer.write(batch), { code: 'DISK_FULL' });
  assert.deepEqual(bench.checkpoints.history, []);
  const free = { 'index.blocks.read_only_allow_delete': false };
  await bench.client.indices.putSettings({ index, settings: free });
  assert.equal((await bench.writer.write(batch)).stored, 10);
});

test('a page goes on where it ended while lines come in between, and over many indices', async () => {
  await using bench = await openElasticBench({ url: running().url });
  const days = (day: number) =>
    Array.from({ length: 30 }, (_, i) =>
      logRecord({ at: AT - day * DAY_MS, origin: `f#${day * 100 + i}` }),
    );
  for (let day = 0; day < 20; day += 1) {
    await bench.writer.write({ records: days(day), checkpoints: [] });
  }
  await bench.refresh();
  const keys: string[] = [];
  let cursor: string | undefined;
  do {
    const query = { ...EVER, limit: 70, ...(cursor === undefined ? {} : { cursor }) };
    const page = await bench.reader.search(logRecord().project, query);
    keys.push(...page.records.map(({ key }) => key));
    cursor = page.cursor;
    await bench.writer.write({ records: [logRecord({ at: AT + keys.length })], checkpoints: [] });
    await bench.refresh();
  } while (cursor !== undefined);
  assert.equal(keys.length, 600);
  assert.equal(new Set(keys).size, 600);
});

import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Client } from '@elastic/elasticsearch';
import type { LogRecord } from '../../shared/contracts/log-record.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import { type ElasticConfig, elasticConfig } from '../../shared/stores/elastic/config.ts';
import { documentId, documentLine } from '../../shared/stores/elastic/elastic-log-document.ts';
import type { IndexPlaces } from '../../shared/stores/elastic/indices/places.ts';
import { initElastic } from '../../shared/stores/elastic/init-elastic.ts';
import { openElasticClient } from '../../shared/stores/elastic/open-elastic-client.ts';
import { openElasticLogReader } from '../../shared/stores/elastic/open-elastic-log-reader.ts';
import { openElasticLogWriter } from '../../shared/stores/elastic/open-elastic-log-writer.ts';
import type { LogReader, LogWriter } from '../../shared/stores/log-store.ts';
import { DAY_MS, utcDay } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { type ElasticsearchServer, startElasticsearch } from '../services/servers/elasticsearch.ts';
import { dailyPlaces } from '../support/daily-places.ts';
import { MapCheckpoints } from '../support/map-checkpoints.ts';
import { temporaryFolder } from '../support/running-tollgate.ts';
import { collectLogs, eventsOfBacklog, writeBacklog } from './support/catch-up.ts';

const ETL = 'etl' as ProjectId;
const BATCH = 5_000;
const SOURCES = 4;
const ROUND_LINES = 10 * BATCH;
const WARM_ROUNDS = 2;

const option = (name: string, fallback: number): number => Number(process.env[name] ?? fallback);
const thousands = (n: number): string => Math.round(n).toLocaleString('en-US');

interface Parts {
  readonly client: Client;
  readonly config: ElasticConfig;
  readonly places: IndexPlaces;
  readonly writer: LogWriter;
  readonly reader: LogReader;
}

let place = 0;

/** About 400 bytes as a document, of which the message is half. */
function record(at: number): LogRecord {
  place += 1;
  return {
    at,
    project: ETL,
    cluster: 'main',
    application: `application_1_${place % 50}`,
    container: `container_1_0001_01_${place % 500}`,
    level: place % 20 === 0 ? 'WARN' : 'INFO',
    logger: 'org.apache.spark.scheduler.TaskSetManager',
    thread: 'dispatcher-event-loop-3',
    message: `Finished task ${place % 97}.0 in stage ${place % 31}.0 (TID ${place}) in ${place % 9_999} ms on worker-${place % 40}.example (executor ${place % 20}) (${place % 97}/200); next of the queue is taken now`,
    fingerprint: String(place % 40).padStart(16, '0'),
    marks: [],
    // A file's lines come in a row.
    origin: `file:${Math.floor(place / 200) % 20}#${place * 200}+200`,
  };
}

function records(count: number): LogRecord[] {
  const at = systemClock.now();
  return Array.from({ length: count }, (_, i) => record(at + Math.floor(i / 100)));
}

async function inParallel<T>(
  all: readonly T[],
  workers: number,
  work: (one: T) => Promise<unknown>,
): Promise<void> {
  const rest = [...all];
  const one = async (): Promise<void> => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) await work(next);
  };
  await Promise.all(Array.from({ length: workers }, one));
}

/** Bodies for the same client, made beforehand: what the server and the client can do. */
function prepare({ places }: Parts, lines: number): string[] {
  return Array.from({ length: lines / BATCH }, () =>
    records(BATCH)
      .map((one, sequence) => {
        const id = documentId(one) ?? '';
        const action = { create: { _index: places.place(ETL, one.at), _id: id } };
        return `${JSON.stringify(action)}\n${documentLine(one, id, { stored: one.at, sequence })}\n`;
      })
      .join(''),
  );
}

async function msOf(work: Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work;
  return performance.now() - start;
}

function sendPrepared({ client, config }: Parts, bodies: readonly string[]): Promise<void> {
  return inParallel(bodies, config.concurrentBulks, (bulkBody) =>
    client.transport.request({ method: 'POST', path: '/_bulk', bulkBody }),
  );
}

/** Several sources write at a time, as in a collector; the writer sends as many bulks at once. */
function write({ writer }: Parts, batches: readonly LogRecord[][]): Promise<void> {
  return inParallel(batches, SOURCES, (batch) => writer.write({ records: batch, checkpoints: [] }));
}

/** @returns prepared documents a second */
async function ceiling(parts: Parts, lines: number): Promise<number> {
  const bodies = prepare(parts, lines);
  return (lines * 1_000) / (await msOf(sendPrepared(parts, bodies)));
}

/**
 * Many rounds, both sides in each, in any order and without a pause between them: merges go on for
 * longer than a side's turn, and a pause would give them away.
 */
async function benchRatio(parts: Parts, print: (line: string) => void): Promise<void> {
  const rounds = option('BENCH_ELASTIC_ROUNDS', 16);
  const took = { ready: 0, own: 0 };
  const ratios: number[] = [];
  for (let round = -WARM_ROUNDS; round < rounds; round += 1) {
    const order = Math.random() < 0.5 ? (['ready', 'own'] as const) : (['own', 'ready'] as const);
    const bodies = prepare(parts, ROUND_LINES);
    const batches = Array.from({ length: ROUND_LINES / BATCH }, () => records(BATCH));
    const ms = { ready: 0, own: 0 };
    for (const side of order) {
      ms[side] = await msOf(side === 'own' ? write(parts, batches) : sendPrepared(parts, bodies));
    }
    if (round < 0) continue;
    took.ready += ms.ready;
    took.own += ms.own;
    ratios.push(ms.ready / ms.own);
  }
  const rate = (ms: number): string => thousands((rounds * ROUND_LINES * 1_000) / ms);
  print(
    `prepared documents ${rate(took.ready)} lines/s, records through the writer ${rate(took.own)}`,
  );
  ratios.sort((a, b) => a - b);
  const part = (share: number): string =>
    (ratios[Math.floor(ratios.length * share)] ?? 0).toFixed(2);
  print(
    `ratio ${(took.ready / took.own).toFixed(2)} (target 0.9) over ${rounds} rounds of ` +
      `${thousands(ROUND_LINES)} lines each; quartiles of the rounds ${part(0.25)}, ${part(0.5)}, ${part(0.75)}`,
  );
}

/** Until the server has merged what was written before, which a steady stream never leaves behind. */
async function settled({ client }: Parts): Promise<void> {
  for (let n = 0; n < 120; n += 1) {
    const stats = await client.indices.stats({ metric: 'merge' });
    if (stats._all.total?.merges?.current === 0) return;
    await wait(500);
  }
}

const DAY_SEARCHES = [
  { text: 'finished' },
  { text: '"next of the queue"' },
  { text: 'worker 7 example', levels: ['WARN'] },
  { text: 'nowhere' },
  {},
] as const;

/** Searches of the project's day, one after the other, until the signal aborts. @returns their ms */
async function searchTheDay({ reader }: Parts, signal: AbortSignal): Promise<number[]> {
  const from = utcDay(systemClock.now());
  const took: number[] = [];
  for (let n = 0; !signal.aborted; n += 1) {
    const query = DAY_SEARCHES[n % DAY_SEARCHES.length] ?? {};
    const start = systemClock.elapsed();
    await reader.search(ETL, { from, until: from + DAY_MS, limit: 50, ...query });
    took.push(systemClock.elapsed() - start);
    await systemClock.sleep(100, signal);
  }
  return took.sort((a, b) => a - b);
}

/** Counts what is acknowledged; `from` is when the first was. */
class Acknowledged {
  readonly #wanted: number;
  readonly #all = Promise.withResolvers<number>();
  seen = 0;
  from = Number.NaN;

  constructor(wanted: number) {
    this.#wanted = wanted;
  }

  add(lines: number): void {
    if (lines > 0 && Number.isNaN(this.from)) this.from = systemClock.elapsed();
    this.seen += lines;
    if (this.seen >= this.#wanted) this.#all.resolve(systemClock.elapsed());
  }

  /** When the last one was. */
  get all(): Promise<number> {
    return this.#all.promise;
  }
}

/** The server stands still while files grow; then they are read as fast as it takes them. */
async function benchCatchUp(
  parts: Parts,
  server: ElasticsearchServer,
  print: (line: string) => void,
): Promise<void> {
  const lines = option('BENCH_ELASTIC_BACKLOG', 300_000);
  const sample = option('BENCH_ELASTIC_LINES', 100_000);
  const before = await ceiling(parts, sample);
  await using folder = await temporaryFolder();
  const input = join(folder.path, 'input');
  const acknowledged = new Acknowledged(eventsOfBacklog(lines));
  await using writer = openWriter(parts);
  const counting: LogWriter = {
    checkpoints: (prefix) => writer.checkpoints(prefix),
    async write(batch) {
      const result = await writer.write(batch);
      acknowledged.add(result.stored);
      return result;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  await mkdir(input);
  await using collector = await collectLogs(input, counting);
  server.process?.pause();
  writeBacklog(input, lines);
  await wait(1_000);
  const resumed = systemClock.elapsed();
  server.process?.resume();
  const late = systemClock.sleep(90_000, AbortSignal.timeout(90_000)).then(() => Number.NaN);
  const over = await Promise.race([acknowledged.all, late]);
  await collector[Symbol.asyncDispose]();
  const after = await ceiling(parts, sample);
  const most = (before + after) / 2;
  const events = acknowledged.seen;
  const rate = (events * 1_000) / (over - resumed);
  print(
    `catching up: ${thousands(events)} events of ${thousands(lines)} lines in 20 files, first ` +
      `acknowledged after ${thousands(acknowledged.from - resumed)} ms, all after ` +
      `${thousands(over - resumed)} ms: ${thousands(rate)} events/s, ` +
      `${(rate / most).toFixed(2)} of prepared documents before and after (${thousands(most)})`,
  );
}

/** Lines come at a steady pace; a search for the newest tells when they are found. */
async function benchSearchable(parts: Parts, print: (line: string) => void): Promise<void> {
  const perSecond = 10_000;
  const seconds = option('BENCH_ELASTIC_SECONDS', 20);
  const written: number[] = [];
  const delays: number[] = [];
  const begin = systemClock.now();
  let failed = '';
  const writes: Promise<unknown>[] = [];
  const look = async (): Promise<void> => {
    const wanted = seconds * 10;
    while (delays.length < wanted && systemClock.now() < begin + seconds * 1_000 + 30_000) {
      const span = { from: begin, until: begin + 3_600_000, limit: 1, text: 'finished' };
      const { records: found } = await parts.reader.search(ETL, span);
      const newest = found[0] === undefined ? -1 : Number(found[0].thread);
      for (let n = delays.length; n <= newest; n += 1) {
        delays.push(systemClock.now() - (written[n] ?? 0));
      }
      await wait(20);
    }
  };
  const looking = look();
  const over = new AbortController();
  const searching = searchTheDay(parts, over.signal);
  for (let n = 0; n < seconds * 10; n += 1) {
    await wait(Math.max(0, begin + n * 100 - systemClock.now()));
    written.push(systemClock.now());
    const batch = Array.from({ length: perSecond / 10 }, () => ({
      ...record(begin + n),
      thread: String(n),
    }));
    const write = parts.writer.write({ records: batch, checkpoints: [] });
    writes.push(write.catch((error: unknown) => (failed = String(error))));
  }
  await Promise.all(writes);
  over.abort();
  const took = await searching;
  await looking;
  delays.sort((a, b) => a - b);
  const at = (part: number): string => thousands(delays[Math.floor(delays.length * part)] ?? 0);
  print(
    `written to searchable at ${thousands(perSecond)} lines/s for ${seconds} s, refresh interval ` +
      `${parts.config.refreshIntervalMs} ms: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms (target 2,000), ` +
      `${delays.length} of ${seconds * 10} batches seen ${failed}`,
  );
  const part = (share: number): string => thousands(took[Math.floor(took.length * share)] ?? 0);
  print(
    `meanwhile ${took.length} searches of the project's day: p50 ${part(0.5)} ms, p95 ${part(0.95)} ms ` +
      `(target 500), slowest ${part(0.999)} ms`,
  );
}

function openWriter({ client, config, places }: Omit<Parts, 'writer' | 'reader'>): LogWriter {
  return openElasticLogWriter({
    ...{ client, config, places },
    checkpoints: new MapCheckpoints(),
    clock: systemClock,
    random: Math.random,
    randomId: randomUUID,
    onRefused: (refused) => Promise.reject(new Error(refused[0]?.why)),
  });
}

export async function run(print: (line: string) => void): Promise<void> {
  await using server = await startElasticsearch({ fast: true, heap: '1g' });
  const config = elasticConfig.parse({
    url: server.url,
    replicas: 0,
    retryForMs: 30_000,
    requestTimeoutMs: 120_000,
  });
  const client = openElasticClient(config);
  await initElastic(client, config);
  const places = dailyPlaces(config.indexPrefix);
  await using writer = openWriter({ client, config, places });
  const reader = openElasticLogReader({ client, config, places });
  const parts = { client, config, places, writer, reader };
  await benchRatio(parts, print);
  await settled(parts);
  await benchSearchable(parts, print);
  await benchCatchUp(parts, server, print);
  await client.close();
}

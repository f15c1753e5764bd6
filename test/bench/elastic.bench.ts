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
const PAIRS_MS = 80_000;

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
    origin: `file:${place % 20}#${place * 200}+200`,
  };
}

function records(count: number): LogRecord[] {
  const at = systemClock.now();
  return Array.from({ length: count }, (_, i) => record(at + Math.floor(i / 100)));
}

async function inParallel<T>(all: readonly T[], work: (one: T) => Promise<unknown>): Promise<void> {
  const rest = [...all];
  const one = async (): Promise<void> => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) await work(next);
  };
  await Promise.all([one(), one()]);
}

/** The same client with bodies made beforehand: what the server and the client can do. */
async function prepared({ client, places }: Parts, lines: number): Promise<number> {
  const bodies = Array.from({ length: lines / BATCH }, () =>
    records(BATCH)
      .map((one, sequence) => {
        const id = documentId(one) ?? '';
        const action = { create: { _index: places.place(ETL, one.at), _id: id } };
        return `${JSON.stringify(action)}\n${documentLine(one, id, { stored: one.at, sequence })}\n`;
      })
      .join(''),
  );
  const start = performance.now();
  await inParallel(bodies, (bulkBody) =>
    client.transport.request({ method: 'POST', path: '/_bulk', bulkBody }),
  );
  return (lines * 1_000) / (performance.now() - start);
}

async function ours({ writer }: Parts, lines: number): Promise<number> {
  const batches = Array.from({ length: lines / BATCH }, () => records(BATCH));
  const start = performance.now();
  await inParallel(batches, (batch) => writer.write({ records: batch, checkpoints: [] }));
  return (lines * 1_000) / (performance.now() - start);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

interface Pair {
  readonly ready: number;
  readonly own: number;
}

async function benchRatio(parts: Parts, print: (line: string) => void): Promise<void> {
  const lines = option('BENCH_ELASTIC_LINES', 100_000);
  const wanted = option('BENCH_ELASTIC_PAIRS', 7);
  for (let warm = 0; warm < 2; warm += 1) await prepared(parts, lines);
  const pairs: Pair[] = [];
  const begin = systemClock.elapsed();
  // On a busy machine fewer pairs fit into the time.
  while (pairs.length < wanted && (pairs.length < 3 || systemClock.elapsed() - begin < PAIRS_MS)) {
    // Who goes first alternates, since the server merges what the one before wrote.
    if (pairs.length % 2 === 0) {
      const ready = await prepared(parts, lines);
      pairs.push({ ready, own: await ours(parts, lines) });
    } else {
      const own = await ours(parts, lines);
      pairs.push({ ready: await prepared(parts, lines), own });
    }
  }
  const [ready, own] = [median(pairs.map((p) => p.ready)), median(pairs.map((p) => p.own))];
  const ratios = pairs.map((p) => (p.own / p.ready).toFixed(2)).join(', ');
  print(
    `prepared documents ${thousands(ready)} lines/s, records through the writer ${thousands(own)}`,
  );
  print(
    `ratio of the medians of ${pairs.length} pairs ${(own / ready).toFixed(2)} (target 0.9), of ` +
      `each pair: ${ratios}`,
  );
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
  const before = await prepared(parts, sample);
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
  const after = await prepared(parts, sample);
  const ceiling = (before + after) / 2;
  const events = acknowledged.seen;
  const rate = (events * 1_000) / (over - resumed);
  print(
    `catching up: ${thousands(events)} events of ${thousands(lines)} lines in 20 files, first ` +
      `acknowledged after ${thousands(acknowledged.from - resumed)} ms, all after ` +
      `${thousands(over - resumed)} ms: ${thousands(rate)} events/s, ` +
      `${(rate / ceiling).toFixed(2)} of prepared documents before and after (${thousands(ceiling)})`,
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
  await benchSearchable(parts, print);
  await benchCatchUp(parts, server, print);
  await client.close();
}

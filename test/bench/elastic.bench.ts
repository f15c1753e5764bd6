import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Client } from '@elastic/elasticsearch';
import type { LogRecord } from '../../shared/contracts/log-record.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import { type ElasticConfig, elasticConfig } from '../../shared/stores/elastic/config.ts';
import { documentId, documentLine } from '../../shared/stores/elastic/elastic-log-document.ts';
import { initElastic } from '../../shared/stores/elastic/init-elastic.ts';
import { openElasticClient } from '../../shared/stores/elastic/open-elastic-client.ts';
import { openElasticLogReader } from '../../shared/stores/elastic/open-elastic-log-reader.ts';
import { openElasticLogWriter } from '../../shared/stores/elastic/open-elastic-log-writer.ts';
import type { LogReader, LogWriter } from '../../shared/stores/log-store.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { startElasticsearch } from '../services/servers/elasticsearch.ts';
import { dailyPlaces } from '../support/daily-places.ts';
import { MapCheckpoints } from '../support/map-checkpoints.ts';

const ETL = 'etl' as ProjectId;
const BATCH = 5_000;

const option = (name: string, fallback: number): number => Number(process.env[name] ?? fallback);
const thousands = (n: number): string => Math.round(n).toLocaleString('en-US');

interface Parts {
  readonly client: Client;
  readonly config: ElasticConfig;
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
async function prepared({ client, config }: Parts, lines: number): Promise<number> {
  const places = dailyPlaces(config.indexPrefix);
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

async function benchRatio(parts: Parts, print: (line: string) => void): Promise<void> {
  const lines = option('BENCH_ELASTIC_LINES', 100_000);
  for (let warm = 0; warm < 2; warm += 1) await prepared(parts, lines);
  const pairs: { ready: number; own: number }[] = [];
  for (let pass = 0; pass < 5; pass += 1) {
    const ready = await prepared(parts, lines);
    pairs.push({ ready, own: await ours(parts, lines) });
  }
  const [ready, own] = [median(pairs.map((p) => p.ready)), median(pairs.map((p) => p.own))];
  const ratios = pairs.map((p) => (p.own / p.ready).toFixed(2)).join(', ');
  print(
    `prepared documents ${thousands(ready)} lines/s, records through the writer ${thousands(own)}`,
  );
  print(`ratio ${(own / ready).toFixed(2)} (target 0.9), of each pair: ${ratios}`);
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
  await looking;
  delays.sort((a, b) => a - b);
  const at = (part: number): string => thousands(delays[Math.floor(delays.length * part)] ?? 0);
  print(
    `written to searchable at ${thousands(perSecond)} lines/s for ${seconds} s, refresh interval ` +
      `${parts.config.refreshIntervalMs} ms: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms (target 2,000), ` +
      `${delays.length} of ${seconds * 10} batches seen ${failed}`,
  );
}

export async function run(print: (line: string) => void): Promise<void> {
  await using server = await startElasticsearch({ fast: true, heap: '1g' });
  const config = elasticConfig.parse({ url: server.url, replicas: 0, retryForMs: 30_000 });
  const client = openElasticClient(config);
  await initElastic(client, config);
  const places = dailyPlaces(config.indexPrefix);
  const writer = openElasticLogWriter({
    client,
    config,
    places,
    checkpoints: new MapCheckpoints(),
    clock: systemClock,
    random: Math.random,
    randomId: randomUUID,
    onRefused: (refused) => Promise.reject(new Error(refused[0]?.why)),
  });
  const reader = openElasticLogReader({ client, config, places });
  await benchRatio({ client, config, writer, reader }, print);
  await benchSearchable({ client, config, writer, reader }, print);
  await writer[Symbol.asyncDispose]();
  await client.close();
}

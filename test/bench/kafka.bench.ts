import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { QueueHandler } from '../../services/collectors/core/queue.ts';
import { kafkaConfig } from '../../services/collectors/inputs/kafka-config.ts';
import { startKafkaInput } from '../../services/collectors/inputs/kafka-input.ts';
import { progressConfig } from '../../services/collectors/progress/config.ts';
import { parseRecord } from '../../services/collectors/progress/parse/parse-record.ts';
import { startProgress } from '../../services/collectors/progress/start.ts';
import { must } from '../../shared/errors/assert.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import type { MetricWriter } from '../../shared/stores/metric-store.ts';
import { openMetricWriter } from '../../shared/stores/sql/metric-writer.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { Metrics } from '../../shared/telemetry/metrics.ts';
import { type RunningInfluxdb, startInfluxdb } from '../services/servers/influxdb.ts';
import { startKafka } from '../services/servers/kafka.ts';
import { InfluxDatabase } from '../support/influx-database.ts';
import { KafkaTopics } from '../support/kafka-topics.ts';
import { MapQuarantine } from '../support/map-quarantine.ts';
import { progressEvents } from './support/progress-events.ts';

const PARTITIONS = 6;
const SEND = 500;
/** Reading, writing and both take turns, and the middle one of each counts. */
const PASSES = 3;
/** On a busy machine no further pass is begun after this. */
const PASSES_MS = 60_000;
/** As many chunks at a time as the input stores by default. */
const PARALLEL = 16;

interface Measured {
  readonly perSecond: number;
  readonly perCpuSecond: number;
}

/** Counts events until all are there; the clock runs from the first one. */
class Stopwatch {
  readonly #count: number;
  #from = 0;
  #cpu = process.cpuUsage();
  #seen = 0;
  readonly #over = Promise.withResolvers<Measured>();

  constructor(count: number) {
    this.#count = count;
  }

  start(): void {
    if (this.#from > 0) return;
    this.#from = systemClock.elapsed();
    this.#cpu = process.cpuUsage();
  }

  add(events: number): void {
    this.#seen += events;
    if (this.#seen < this.#count) return;
    const seconds = (systemClock.elapsed() - this.#from) / 1_000;
    const { user, system } = process.cpuUsage(this.#cpu);
    const perCpuSecond = this.#count / ((user + system) / 1e6);
    this.#over.resolve({ perSecond: this.#count / seconds, perCpuSecond });
  }

  get measured(): Promise<Measured> {
    return this.#over.promise;
  }
}

async function read(
  brokers: string,
  topic: string,
  handler: QueueHandler,
): Promise<AsyncDisposable> {
  const input = startKafkaInput({
    collector: 'progress',
    config: kafkaConfig('progress', ['json']).parse({
      brokers: [brokers],
      topics: [{ name: topic, project: 'etl' }],
      groupId: randomUUID(),
    }),
    handler,
    clock: systemClock,
    random: Math.random,
    logger: silentLogger,
    metrics: new Metrics(),
  });
  await wait(0);
  return input;
}

/** Consumed and parsed, and nothing else. */
async function readingAlone(brokers: string, topic: string, count: number): Promise<Measured> {
  const watch = new Stopwatch(count);
  await using _input = await read(brokers, topic, {
    async take({ records, receivedAt }) {
      watch.start();
      for (const { text } of records) parseRecord(text, { application: '', receivedAt });
      watch.add(records.length);
    },
  });
  return await watch.measured;
}

/** An empty store. */
interface Place extends AsyncDisposable {
  readonly writer: MetricWriter;
}

async function openSqlite(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'kafka-bench-'));
  const writer = await openMetricWriter({ folder, clock: systemClock });
  return {
    writer,
    async [Symbol.asyncDispose]() {
      await writer[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

/** With the measurements that are kept by default. */
async function openInflux(server: RunningInfluxdb): Promise<Place> {
  const database = await InfluxDatabase.create(server, { measurements: undefined });
  const { writer } = database;
  return {
    writer,
    async [Symbol.asyncDispose]() {
      const refused = database.refused.length + database.fates.size;
      if (refused > 0) throw new Error(`InfluxDB did not keep ${refused} kinds of point`);
      await database[Symbol.asyncDispose]();
    },
  };
}

type Feed = (handler: QueueHandler) => Promise<AsyncDisposable>;

/** A progress collector on an empty store; `feed` gets its door. */
async function storing(count: number, open: () => Promise<Place>, feed: Feed): Promise<Measured> {
  await using place = await open();
  const progress = await startProgress({
    config: progressConfig.parse(undefined),
    writer: place.writer,
    quarantine: new MapQuarantine(),
    clock: systemClock,
    random: Math.random,
    logger: silentLogger,
    metrics: new Metrics(),
  });
  const watch = new Stopwatch(count);
  const input = await feed({
    async take(batch, signal) {
      watch.start();
      await progress.take(batch, signal);
      watch.add(batch.records.length);
    },
  });
  const measured = await watch.measured;
  await input[Symbol.asyncDispose]();
  await progress[Symbol.asyncDispose]();
  return measured;
}

/** The same events in the same chunks, from memory. */
function fromMemory(lines: readonly string[]): Feed {
  return async (handler) => {
    const { signal } = new AbortController();
    let from = 0;
    const work = async (): Promise<void> => {
      while (from < lines.length) {
        const at = from;
        from += SEND;
        const part = lines.slice(at, from);
        const records = part.map((text, i) => ({ id: `kafka:t/0#${at + i}`, text }));
        const place = { origin: 'kafka:t/0', format: 'json', project: undefined, cluster: 'c' };
        const bytes = part.reduce((sum, { length }) => sum + length, 0);
        const receivedAt = systemClock.now();
        await handler.take({ ...place, records, receivedAt, bytes }, signal);
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, work));
    return { async [Symbol.asyncDispose]() {} };
  };
}

function text({ perSecond, perCpuSecond }: Measured): string {
  const round = (value: number): string => Math.round(value).toLocaleString('en');
  return `${round(perSecond)} events/s, ${round(perCpuSecond)} a CPU-second`;
}

/** Reading alone, writing alone and both, of the same events in turn. */
async function measure(
  name: string,
  open: () => Promise<Place>,
  source: { readonly brokers: string; readonly topic: string; readonly lines: readonly string[] },
  print: (line: string) => void,
): Promise<void> {
  const { brokers, topic, lines } = source;
  const passes: { reading: Measured; writing: Measured; both: Measured }[] = [];
  const begin = systemClock.elapsed();
  while (
    passes.length === 0 ||
    (passes.length < PASSES && systemClock.elapsed() - begin < PASSES_MS)
  ) {
    const reading = await readingAlone(brokers, topic, lines.length);
    const writing = await storing(lines.length, open, fromMemory(lines));
    const both = await storing(lines.length, open, (handler) => read(brokers, topic, handler));
    passes.push({ reading, writing, both });
  }
  const middle = (of: 'reading' | 'writing' | 'both'): Measured => {
    const sorted = passes.map((pass) => pass[of]).sort((a, b) => a.perSecond - b.perSecond);
    return must(sorted[Math.floor(sorted.length / 2)], 'there is a pass');
  };
  const [reading, writing, both] = [middle('reading'), middle('writing'), middle('both')];
  const least = Math.min(reading.perSecond, writing.perSecond);
  const ratios = passes.map((pass) =>
    (pass.both.perSecond / Math.min(pass.reading.perSecond, pass.writing.perSecond)).toFixed(2),
  );
  print(`reading alone (consumed and parsed): ${text(reading)}`);
  print(`writing to ${name} alone: ${text(writing)}`);
  print(
    `Kafka → ${name}: ${text(both)}; ${(both.perSecond / least).toFixed(2)} of the slower of the ` +
      `two (target: 10,000/s, or 0.9 of it), of each pass ${ratios.join(', ')}; ` +
      `RSS ${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB`,
  );
}

/** How many progress events a second come from a real broker into a store. */
export async function run(print: (line: string) => void): Promise<void> {
  await using kafka = await startKafka();
  await using influxdb = await startInfluxdb();
  await using topics = await KafkaTopics.open(kafka.brokers);
  const topic = await topics.create(PARTITIONS);
  const lines = progressEvents(systemClock.now());
  for (let from = 0; from < lines.length; from += SEND) {
    await topics.send(topic, lines.slice(from, from + SEND), { compression: 1 });
  }
  const source = { brokers: kafka.brokers, topic, lines };
  await measure('SQLite', openSqlite, source, print);
  await measure('InfluxDB', () => openInflux(influxdb), source, print);
}

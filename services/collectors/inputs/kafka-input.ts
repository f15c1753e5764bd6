import { readFile } from 'node:fs/promises';
import type {
  KafkaConfig as ClientConfig,
  Consumer,
  EachBatchPayload,
  Kafka,
  LogEntry,
  SASLOptions,
} from 'kafkajs';
import { AppError } from '../../../shared/errors/app-error.ts';
import { backoffMs } from '../../../shared/runtime/backoff.ts';
import { type Logger, silentLogger } from '../../../shared/telemetry/logger.ts';
import { kafkaCodecs } from './kafka-codecs.ts';
import type { KafkaConfig } from './kafka-config.ts';
import { kafkaLag } from './kafka-lag.ts';
import { KafkaPipeline, type KafkaPipelineDeps } from './kafka-pipeline.ts';
import { kafkaProblem } from './kafka-problem.ts';

export type KafkaInputDeps = KafkaPipelineDeps;
export type KafkaInput = AsyncDisposable;

type Assignment = Readonly<Record<string, readonly number[]>>;

const MIB = 1_048_576;
/** Codecs are the client library's for the whole process, and so are their limits. */
const CODEC_LIMITS = { batchMaxBytes: 64 * MIB, answerMaxBytes: 64 * MIB };
const RECONNECT = { baseMs: 500, capMs: 8_000 };
const COMMIT_MS = 100;
const COMMIT_RETRY_MS = 1_000;
/** A consumer of which nothing was heard for so long hangs: its own waits are all shorter. */
const SILENT_MS = 120_000;
const DISCONNECT_MS = 5_000;

async function pem(option: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const message = `kafka.tls.${option}: ${path} cannot be read; name a PEM file`;
    throw new AppError('CONFIG_INVALID', message, { cause });
  }
}

async function tlsOf({ tls }: KafkaConfig): Promise<Pick<ClientConfig, 'ssl'>> {
  if (tls === undefined) return {};
  const [ca, cert, key] = await Promise.all([
    pem('caFile', tls.caFile),
    pem('certificateFile', tls.certificateFile),
    pem('keyFile', tls.keyFile),
  ]);
  const { keyPassword } = tls;
  return {
    ssl: {
      ...(ca === undefined ? {} : { ca: [ca] }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(keyPassword === undefined ? {} : { passphrase: keyPassword }),
    },
  };
}

/** What the library says of its retries is detail: what a state change means is said by us. */
function logCreator(logger: Logger) {
  return () =>
    ({ namespace, label, log }: LogEntry): void => {
      const { message, error, broker } = log;
      logger.debug({ namespace, label, message, error, broker }, 'kafka client');
    };
}

/**
 * Files are read each time, so that renewed certificates are taken up with the next connection.
 * The library is loaded here, so that a Tollgate without Kafka does without it.
 */
async function openClient(config: KafkaConfig, clientId: string, logger: Logger): Promise<Kafka> {
  const { default: library } = await import('kafkajs');
  const codecs = kafkaCodecs(CODEC_LIMITS);
  Object.assign(library.CompressionCodecs, Object.fromEntries(codecs));
  const { brokers, sasl, requestTimeoutMs } = config;
  return new library.Kafka({
    clientId,
    brokers,
    ...(await tlsOf(config)),
    ...(sasl === undefined ? {} : { sasl: { ...sasl } as SASLOptions }),
    requestTimeout: requestTimeoutMs,
    connectionTimeout: Math.min(requestTimeoutMs, 5_000),
    authenticationTimeout: requestTimeoutMs,
    retry: { retries: 3, initialRetryTime: 200, maxRetryTime: 2_000 },
    logLevel: library.logLevel.WARN,
    logCreator: logCreator(logger),
  });
}

/**
 * Looks whether the topics can be read: for `stores check` and before the start.
 *
 * @throws AppError CONFIG_INVALID when a person must act, INPUT_UNREADABLE when Kafka is away
 */
export async function checkKafka(config: KafkaConfig): Promise<void> {
  const client = await openClient(config, 'tollgate-check', silentLogger);
  const admin = client.admin({ retry: { retries: 1, initialRetryTime: 200 } });
  const topics = config.topics.map(({ name }) => name);
  try {
    await admin.connect();
    await admin.fetchTopicMetadata({ topics });
    await admin.fetchOffsets({ groupId: config.groupId, topics });
  } catch (error) {
    throw kafkaProblem(error, config);
  } finally {
    await admin.disconnect();
  }
}

/** One consumer of a group, built anew with backoff whenever it breaks, until it is disposed. */
class Input implements KafkaInput {
  readonly #deps: KafkaInputDeps;
  readonly #pipeline: KafkaPipeline;
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;
  readonly #lag: (labels: Record<string, string>, value: number) => void;
  readonly #connected: (labels: Record<string, string>, value: number) => void;
  readonly #restarts: (labels: Record<string, string>) => void;
  /** Of the session that is joined or joining. */
  #consumer: Consumer | undefined;
  #assignment: Assignment = {};
  #heardAt = 0;
  #failures = 0;
  /** What was said last, so that it is said once. */
  #said = '';
  #uncommitted: (() => void) | undefined;
  #dirty = false;

  constructor(deps: KafkaInputDeps) {
    const { metrics } = deps;
    this.#deps = deps;
    this.#lag = metrics.gauge(
      'tollgate_kafka_lag_records',
      'Records of an assigned partition that are not committed.',
    );
    this.#connected = metrics.gauge('tollgate_kafka_connected', '1 while topics are read.');
    this.#restarts = metrics.counter('tollgate_kafka_restarts_total', 'Consumers that broke.');
    this.#pipeline = new KafkaPipeline(deps, {
      room: () => this.#flow('resume'),
      stored: () => this.#commitSoon(),
    });
    this.#running = Promise.all([this.#supervise(), this.#commitLoop()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#flow('pause');
    await this.#pipeline[Symbol.asyncDispose]();
    await this.#commit();
    this.#stop.abort();
    this.#commitSoon();
    await this.#running;
  }

  async #supervise(): Promise<void> {
    const { clock, random, collector } = this.#deps;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      let error: unknown;
      try {
        error = await this.#session();
      } catch (failure) {
        error = failure;
      }
      this.#connected({ collector }, 0);
      if (signal.aborted) return;
      this.#restarts({ collector });
      this.#sayBroken(error);
      await clock.sleep(backoffMs(this.#failures, { ...RECONNECT, random }) + 100, signal);
      this.#failures += 1;
    }
  }

  /** Reads until the consumer breaks, and returns why. */
  async #session(): Promise<unknown> {
    const { collector, config, logger } = this.#deps;
    const client = await openClient(config, `tollgate-${collector}`, logger);
    const consumer = client.consumer({
      groupId: config.groupId,
      sessionTimeout: config.sessionTimeoutMs,
      rebalanceTimeout: config.sessionTimeoutMs * 2,
      heartbeatInterval: config.heartbeatIntervalMs,
      maxWaitTimeInMs: config.maxWaitMs,
      maxBytes: config.fetchMaxBytes,
      maxBytesPerPartition: config.fetchMaxPartitionBytes,
      allowAutoTopicCreation: false,
      // A broken consumer is built anew by us, whatever broke it, so that none ends in silence.
      retry: { retries: 4, initialRetryTime: 200, restartOnFailure: async () => false },
    });
    const over = new AbortController();
    const stopped = new Promise<undefined>((resolve) => {
      this.#stop.signal.addEventListener('abort', () => resolve(undefined), { once: true });
      if (this.#stop.signal.aborted) resolve(undefined);
    });
    const broken = this.#listen(consumer);
    try {
      this.#consumer = consumer;
      const started = this.#start(consumer);
      // Where the stop comes first, nobody waits for the start any more.
      started.catch(() => undefined);
      const first = await Promise.race([started.then(() => 'started'), stopped, broken]);
      if (first !== 'started') return first;
      return await Promise.race([broken, stopped, this.#watch(client, over.signal)]);
    } finally {
      this.#consumer = undefined;
      over.abort();
      await this.#inTime(consumer.disconnect());
    }
  }

  async #start(consumer: Consumer): Promise<void> {
    const { topics, fromBeginning } = this.#deps.config;
    await consumer.connect();
    await consumer.subscribe({ topics: topics.map(({ name }) => name), fromBeginning });
    await consumer.run({
      autoCommit: false,
      eachBatch: async (payload) => this.#take(payload),
    });
  }

  /** Follows the consumer's events; resolves with the error that ended it. */
  #listen(consumer: Consumer): Promise<unknown> {
    const { clock, collector } = this.#deps;
    const { CRASH, GROUP_JOIN, FETCH, HEARTBEAT } = consumer.events;
    const heard = (): void => {
      this.#heardAt = clock.elapsed();
    };
    heard();
    consumer.on(FETCH, heard);
    consumer.on(HEARTBEAT, heard);
    consumer.on(GROUP_JOIN, ({ payload }) => {
      heard();
      this.#failures = 0;
      this.#assign(payload.memberAssignment);
      this.#connected({ collector }, 1);
      if (this.#pipeline.full) this.#flow('pause');
      this.#commitSoon();
    });
    return new Promise((resolve) => {
      consumer.on(CRASH, ({ payload }) => resolve(payload.error));
    });
  }

  #assign(assignment: Assignment): void {
    const { collector, logger } = this.#deps;
    for (const [topic, partitions] of Object.entries(this.#assignment)) {
      for (const partition of partitions) {
        if (assignment[topic]?.includes(partition) === true) continue;
        // It is told by the consumer that has it now.
        this.#lag({ collector, topic, partition: String(partition) }, 0);
      }
    }
    this.#assignment = assignment;
    this.#pipeline.offsets.assign(assignment);
    const text = JSON.stringify(assignment);
    if (this.#said === text) return;
    this.#said = text;
    logger.info({ collector, assignment }, 'reading from Kafka');
  }

  #take({ batch }: EachBatchPayload): void {
    const { topic, partition, messages } = batch;
    this.#pipeline.offer({ topic, partition, messages, lastOffset: BigInt(batch.lastOffset()) });
    if (this.#pipeline.full) this.#flow('pause');
  }

  /** All topics at once, with the partitions that are assigned later. */
  #flow(way: 'pause' | 'resume'): void {
    const topics = this.#deps.config.topics.map(({ name }) => ({ topic: name }));
    try {
      this.#consumer?.[way](topics);
    } catch (error) {
      // It is between two lives; the next one looks at `full` when it has joined.
      this.#deps.logger.debug({ err: error }, `no consumer to ${way}`);
    }
  }

  #commitSoon(): void {
    this.#dirty = true;
    this.#uncommitted?.();
  }

  async #commitLoop(): Promise<void> {
    const { clock } = this.#deps;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      if (!this.#dirty) {
        await new Promise<void>((resolve) => {
          this.#uncommitted = resolve;
        });
      }
      this.#dirty = false;
      const done = await this.#commit();
      this.#dirty ||= !done;
      await clock.sleep(done ? COMMIT_MS : COMMIT_RETRY_MS, signal);
    }
  }

  /** False when it must be tried again. What is committed late is at worst read and stored again. */
  async #commit(): Promise<boolean> {
    const { offsets } = this.#pipeline;
    const commits = offsets.commits();
    if (commits.length === 0) return true;
    const consumer = this.#consumer;
    if (consumer === undefined) return false;
    try {
      await consumer.commitOffsets(
        commits.map(({ topic, partition, offset }) => ({ topic, partition, offset: `${offset}` })),
      );
      offsets.committed(commits);
      return true;
    } catch (error) {
      this.#deps.logger.debug({ err: error }, 'offsets are committed later');
      return false;
    }
  }

  /** Exports the lag, and looks that the consumer is alive; returns why it isn't. */
  async #watch(client: Kafka, signal: AbortSignal): Promise<unknown> {
    const { clock, config, logger } = this.#deps;
    const admin = client.admin({ retry: { retries: 1 } });
    try {
      while (!signal.aborted) {
        await clock.sleep(config.lagIntervalMs, signal);
        if (signal.aborted) return undefined;
        if (clock.elapsed() - this.#heardAt > SILENT_MS) {
          return new Error(`nothing was heard of the consumer for ${SILENT_MS} ms`);
        }
        try {
          await admin.connect();
          for (const topic of Object.keys(this.#assignment)) await this.#tellLag(admin, topic);
        } catch (error) {
          logger.debug({ err: error }, 'the lag is asked for again later');
        }
      }
      return undefined;
    } finally {
      await this.#inTime(admin.disconnect());
    }
  }

  async #tellLag(admin: ReturnType<Kafka['admin']>, topic: string): Promise<void> {
    const { collector, config } = this.#deps;
    const ends = await admin.fetchTopicOffsets(topic);
    const [found] = await admin.fetchOffsets({ groupId: config.groupId, topics: [topic] });
    for (const { partition, records } of kafkaLag(ends, found?.partitions ?? [])) {
      if (this.#assignment[topic]?.includes(partition) !== true) continue;
      this.#lag({ collector, topic, partition: String(partition) }, records);
    }
  }

  #sayBroken(error: unknown): void {
    const { collector, config, logger } = this.#deps;
    const problem = kafkaProblem(error, config);
    if (this.#said === problem.message) return;
    this.#said = problem.message;
    const level = problem.code === 'CONFIG_INVALID' ? 'error' : 'warn';
    logger[level]({ collector, problem: problem.message }, 'Kafka is not read; tried again');
  }

  /** A broker that is away must not hold up the next attempt, or the stop. */
  async #inTime(work: Promise<void>): Promise<void> {
    const over = new AbortController();
    try {
      await Promise.race([work, this.#deps.clock.sleep(DISCONNECT_MS, over.signal)]);
    } catch (error) {
      this.#deps.logger.debug({ err: error }, 'a connection to Kafka was not closed in order');
    } finally {
      over.abort();
    }
  }
}

/**
 * Starts reading the topics of a collector. Kafka may be away: it is tried until it answers, which
 * is said in the log and in `tollgate_kafka_connected`. Disposing stores what was read and commits.
 */
export function startKafkaInput(deps: KafkaInputDeps): KafkaInput {
  return new Input(deps);
}

import { AppError } from '../../../shared/errors/app-error.ts';
import { backoffMs } from '../../../shared/runtime/backoff.ts';
import type { Clock } from '../../../shared/runtime/clock.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';
import type { Metrics } from '../../../shared/telemetry/metrics.ts';
import type { QueueHandler } from '../core/queue.ts';
import type { KafkaConfig, KafkaTopic } from './kafka-config.ts';
import { KafkaOffsets, type OffsetRange } from './kafka-offsets.ts';
import { cutBatch, type KafkaChunk, type KafkaMessage, recordsOf } from './kafka-records.ts';

export interface KafkaPipelineDeps {
  readonly collector: string;
  readonly config: KafkaConfig;
  readonly handler: QueueHandler;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface KafkaBatch {
  readonly topic: string;
  readonly partition: number;
  readonly messages: readonly KafkaMessage[];
  /** May lie behind the last message's: a transaction's mark has no message. */
  readonly lastOffset: bigint;
}

interface Waiting {
  readonly chunk: KafkaChunk;
  readonly range: OffsetRange;
  readonly source: KafkaTopic;
  readonly partition: number;
}

const RETRY = { baseMs: 200, capMs: 10_000 };

/**
 * What lies between a consumer and its collector: batches cut into chunks, a few of which are
 * stored at a time, and the offsets that may be committed for it. Reading goes on meanwhile; the
 * consumer pauses when `full` and is told by `onRoom` when to go on.
 */
export class KafkaPipeline implements AsyncDisposable {
  readonly offsets = new KafkaOffsets();
  readonly #deps: KafkaPipelineDeps;
  readonly #on: { readonly room: () => void; readonly stored: () => void };
  readonly #topics: ReadonlyMap<string, KafkaTopic>;
  readonly #queue: Waiting[] = [];
  readonly #giveUp = new AbortController();
  readonly #workers: Promise<void>[];
  readonly #inFlight: (labels: Record<string, string>, value: number) => void;
  #idle: (() => void)[] = [];
  #bytes = 0;
  #full = false;
  #closed = false;

  constructor(deps: KafkaPipelineDeps, on: { room: () => void; stored: () => void }) {
    const { config, metrics } = deps;
    this.#deps = deps;
    this.#on = on;
    this.#topics = new Map(config.topics.map((topic) => [topic.name, topic]));
    this.#inFlight = metrics.gauge(
      'tollgate_kafka_in_flight_bytes',
      'Bytes read from Kafka that are not stored yet.',
    );
    this.#workers = Array.from({ length: config.parallelChunks }, () => this.#work());
  }

  /** As much is in hand as may be: nothing more should be read. */
  get full(): boolean {
    return this.#full;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a batch at once, whatever its size; messages that are in hand already are left out. */
  offer({ topic, partition, messages, lastOffset }: KafkaBatch): void {
    const source = this.#topics.get(topic);
    if (source === undefined || this.#closed) return;
    const chunks = cutBatch(messages, lastOffset, {
      maxBytes: this.#deps.config.chunkMaxBytes,
      holds: (offset) => this.offsets.holds(topic, partition, offset),
    });
    for (const chunk of chunks) {
      const range = this.offsets.take(topic, partition, chunk.first, chunk.until);
      this.#queue.push({ chunk, range, source, partition });
      this.#count(chunk.bytes);
    }
    this.#wake();
  }

  /** Takes nothing more, and stores what is in hand within `drainMs`. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { clock, config } = this.#deps;
    this.#closed = true;
    this.#wake();
    const done = new AbortController();
    const patience = clock.sleep(config.drainMs, done.signal).then(() => {
      this.#giveUp.abort(new AppError('STORE_UNAVAILABLE', 'stopped before storing'));
    });
    await Promise.all(this.#workers);
    done.abort();
    await patience;
  }

  async #work(): Promise<void> {
    for (;;) {
      const waiting = this.#queue.shift();
      if (waiting === undefined) {
        if (this.#closed) return;
        await new Promise<void>((resolve) => this.#idle.push(resolve));
        continue;
      }
      const { range, chunk } = waiting;
      if (!range.lost && !this.#giveUp.signal.aborted && (await this.#store(waiting))) {
        range.stored = true;
        this.#on.stored();
      }
      this.#count(-chunk.bytes);
    }
  }

  /** Tries until it is stored; false when it was given up, or is somebody else's meanwhile. */
  async #store({ chunk, range, source, partition }: Waiting): Promise<boolean> {
    const { config, handler, clock, random, logger } = this.#deps;
    const { signal } = this.#giveUp;
    const { cluster, project, format } = source;
    const origin = `kafka:${source.name}/${partition}`;
    const records = recordsOf(origin, chunk.messages, config.maxRecordBytes);
    const { bytes } = chunk;
    for (let attempt = 0; ; attempt += 1) {
      try {
        const receivedAt = clock.now();
        await handler.take(
          { origin, records, format, project, cluster, receivedAt, bytes },
          signal,
        );
        return true;
      } catch (error) {
        if (signal.aborted || range.lost) return false;
        const facts = { origin, first: String(chunk.first), until: String(chunk.until), attempt };
        if (error instanceof AppError) {
          if (attempt === 0) logger.warn({ ...facts, error: error.message }, 'stored later');
        } else logger.error({ ...facts, err: error }, 'records from Kafka meet a bug; tried again');
        await clock.sleep(backoffMs(attempt, { ...RETRY, random }), signal);
      }
    }
  }

  #wake(): void {
    for (const resume of this.#idle.splice(0)) resume();
  }

  #count(bytes: number): void {
    const { config, collector } = this.#deps;
    this.#bytes += bytes;
    this.#inFlight({ collector }, this.#bytes);
    // An answer that is on its way may be as large as the other half.
    if (this.#bytes >= config.inFlightMaxBytes / 2) this.#full = true;
    else if (this.#full && this.#bytes < config.inFlightMaxBytes / 4) {
      this.#full = false;
      this.#on.room();
    }
  }
}

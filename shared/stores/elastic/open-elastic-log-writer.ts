import type { Client } from '@elastic/elasticsearch';
import type { LogRecord } from '../../contracts/log-record.ts';
import { AppError } from '../../errors/app-error.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Checkpoint, CheckpointStore } from '../checkpoint.ts';
import type { LogBatch, LogWriteResult, LogWriter, RefusedLog } from '../log-store.ts';
import { type BulkLine, bulkLine } from './bulk-body.ts';
import { BulkSender } from './bulk-sender.ts';
import type { ElasticConfig } from './config.ts';
import { documentId, documentLine } from './elastic-log-document.ts';
import { ElasticRequests } from './elastic-requests.ts';
import type { IndexPlaces } from './indices/places.ts';
import { type PlacedLog, RepeatFinder } from './repeat-finder.ts';

export interface ElasticLogWriterOptions {
  /** Closed by the caller. */
  readonly client: Client;
  readonly config: ElasticConfig;
  readonly places: IndexPlaces;
  /** Where checkpoints lie; closed by the caller. */
  readonly checkpoints: CheckpointStore;
  readonly clock: Clock;
  /** In `[0, 1)`. */
  readonly random: () => number;
  /** Identity of a record that has none, such as `randomUUID`. */
  readonly randomId: () => string;
  /**
   * Keeps what Elasticsearch will never take, before the batch's checkpoints move. A failure fails
   * the write.
   */
  readonly onRefused: (refused: readonly RefusedLog[]) => Promise<void>;
}

/** LogWriter on Elasticsearch: a write resolves after the server's acknowledgement of each record. */
export class ElasticLogWriter implements LogWriter {
  readonly #options: ElasticLogWriterOptions;
  readonly #sender: BulkSender;
  readonly #repeats: RepeatFinder;
  /** A call that is made again with the same record must not store it twice. */
  readonly #randomIds = new WeakMap<LogRecord, string>();
  #sequence = 0;
  #closed = false;

  constructor(options: ElasticLogWriterOptions) {
    this.#options = options;
    const { client, config, clock, random } = options;
    const requests = new ElasticRequests(client, config.url);
    this.#sender = new BulkSender({ requests, clock, random, ...config });
    this.#repeats = new RepeatFinder({ ...options, requests });
  }

  async write({
    records,
    checkpoints,
    begins = [],
    fences = [],
  }: LogBatch): Promise<LogWriteResult> {
    if (this.#closed) throw new AppError('STORE_UNAVAILABLE', 'the log store is closed');
    const placed = records.map((record) => this.#place(record));
    const repeats = await this.#repeats.repeats(
      placed,
      new Set(begins.map(({ source }) => source)),
    );
    if (begins.length + fences.length > 0) {
      await this.#options.checkpoints.save(begins, fences);
    }
    const fresh = placed.filter(({ id }) => !repeats.has(id));
    const result = await this.#sender.send(this.#lines(fresh));
    const refused = result.refused.flatMap(({ position, why }) => {
      const record = fresh[position]?.record;
      return record === undefined ? [] : [{ record, why }];
    });
    if (refused.length > 0) await this.#options.onRefused(refused);
    if (checkpoints.length > 0) await this.#options.checkpoints.save(checkpoints, fences);
    const again = placed.length - fresh.length;
    return { stored: result.stored, duplicates: result.duplicates + again };
  }

  async checkpoints(prefix: string): Promise<Checkpoint[]> {
    const all = await this.#options.checkpoints.checkpoints(prefix);
    return all.filter(({ position }) => position !== '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#sender[Symbol.asyncDispose]();
  }

  #place(record: LogRecord): PlacedLog {
    const index = this.#options.places.place(record.project, record.at);
    return { record, index, id: documentId(record) ?? this.#randomId(record) };
  }

  #randomId(record: LogRecord): string {
    let id = this.#randomIds.get(record);
    if (id === undefined) {
      id = this.#options.randomId();
      this.#randomIds.set(record, id);
    }
    return id;
  }

  #lines(logs: readonly PlacedLog[]): BulkLine[] {
    const stored = this.#options.clock.now();
    return logs.map(({ record, index, id }) => {
      this.#sequence += 1;
      return bulkLine(index, id, documentLine(record, id, { stored, sequence: this.#sequence }));
    });
  }
}

/** Opens the writer. What the server lacks is told by `checkElastic`, and by the first write. */
export function openElasticLogWriter(options: ElasticLogWriterOptions): ElasticLogWriter {
  return new ElasticLogWriter(options);
}

import type { Clock } from '../../../shared/runtime/clock.ts';
import type { Checkpoint } from '../../../shared/stores/checkpoint.ts';
import type { LogWriteResult, LogWriter } from '../../../shared/stores/log-store.ts';
import { SHARED_SOURCES } from '../../../shared/stores/scoped-checkpoints.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';
import type { Metrics } from '../../../shared/telemetry/metrics.ts';
import { UNATTRIBUTED } from '../../../shared/values/project-id.ts';
import type { Delivery } from '../core/deliver.ts';
import type { FileChunk, FileEnd, TailedFile } from '../inputs/file-event.ts';
import { tail } from '../inputs/file-input.ts';
import { parseFilePosition } from '../inputs/file-position.ts';
import type { StreamClaims } from '../inputs/stream-claims.ts';
import type { LogFileSource, LogsConfig } from './config.ts';
import { isBinary } from './is-binary.ts';
import { LogBatch } from './log-batch.ts';
import type { LogQuotas } from './log-quotas.ts';
import { originOfSource, type ProjectOf } from './origin-of-source.ts';
import { isCri } from './parse/cri-unwrapper.ts';
import { LocalTime } from './parse/local-time.ts';
import { CRI, StreamReader } from './stream-reader.ts';

export interface FileSourceDeps {
  readonly source: LogFileSource;
  readonly config: LogsConfig;
  readonly writer: LogWriter;
  readonly deliver: (
    delivery: Delivery<LogWriteResult>,
    signal: AbortSignal,
  ) => Promise<LogWriteResult>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly projectOf: ProjectOf | undefined;
  readonly quotas: LogQuotas;
  /** Of a source that several processes divide among themselves. */
  readonly claims?: StreamClaims | undefined;
}

const PREFIX = 'logs:file:';
export const SHARED_LOG_FILES = `${SHARED_SOURCES}${PREFIX}`;
const BINARY = 'binary';
/** Half a line may be a writer's buffer: it is waited for longer than the next line. */
const HALF_LINE_FACTOR = 30;
const MAX_BATCH_CHARS = 16 * 1_048_576;
const RAW_BYTES = 1_024;

/** Follows the files of one source into the store. */
export class FileSource {
  readonly #deps: FileSourceDeps;
  readonly #zone: LocalTime;
  readonly #streams = new Map<string, StreamReader>();
  /** Readers of bytes that came to a rotated file after its successor was begun. */
  readonly #late = new Map<string, StreamReader>();
  readonly #touched = new Set<StreamReader>();
  readonly #waiting = new Set<StreamReader>();
  readonly #binary = new Map<string, Checkpoint>();
  readonly #heldSince = new Map<string, number>();
  #batch: LogBatch;
  #checkpoints: Checkpoint[] = [];
  /** The batch that is being stored while the next one is read. */
  #storing: Promise<unknown> = Promise.resolve();
  /** It failed, which is thrown at the next tick. */
  #failed = false;

  constructor(deps: FileSourceDeps) {
    this.#deps = deps;
    this.#zone = new LocalTime(deps.source.zone);
    this.#batch = new LogBatch(deps.quotas);
  }

  /** Runs until `signal` aborts; what was read by then is stored, unless `giveUp` aborts. */
  async run(signal: AbortSignal, giveUp: AbortSignal): Promise<void> {
    const { source, config, writer, clock, logger, metrics, claims } = this.#deps;
    const events = tail({
      patterns: source.paths,
      ...(claims === undefined
        ? { prefix: PREFIX, checkpoints: await writer.checkpoints(PREFIX) }
        : { prefix: SHARED_LOG_FILES, checkpoints: [], claims }),
      clock,
      signal,
      logger,
      metrics,
      scanIntervalMs: config.scanIntervalMs,
      pollIntervalMs: config.pollIntervalMs,
      maxOpenFiles: config.maxOpenFiles,
      hold: (file) => this.#isHeld(file),
      shareOf: (file) => originOfSource(source, file.captures, this.#deps.projectOf).project,
    });
    try {
      for await (const event of events) {
        if (event.kind === 'data') this.#read(event);
        else if (event.kind === 'end') this.#end(event);
        else if (event.kind === 'forgotten') this.#checkpoints.push(event.checkpoint);
        else this.#flushQuiet();
        const full =
          this.#batch.records.length >= config.batchRecords || this.#batch.size > MAX_BATCH_CHARS;
        if (full || event.kind === 'tick') await this.#store(giveUp);
        if (event.kind === 'tick' && claims?.mustLeave === true) this.#leave(claims);
      }
      await this.#store(giveUp);
    } finally {
      // Nobody may begin from the stored positions while they still move.
      await this.#storing;
    }
  }

  /** An application is known to the ledger some seconds after its start; its logs wait for that. */
  #isHeld(file: TailedFile): boolean {
    const { source, config, clock, projectOf } = this.#deps;
    if (projectOf === undefined) return false;
    const { project, application } = originOfSource(source, file.captures, projectOf);
    const known =
      application === '' ||
      project !== UNATTRIBUTED ||
      projectOf(source.cluster, application) !== undefined;
    if (known) return false;
    const now = clock.elapsed();
    const since = this.#heldSince.get(file.source) ?? now;
    this.#heldSince.set(file.source, since);
    return now - since < config.attributionWaitMs;
  }

  #read(chunk: FileChunk): void {
    const { file, start } = chunk;
    const { clock, source, projectOf } = this.#deps;
    let { bytes } = chunk;
    if (file.state === BINARY || this.#binary.has(file.source)) {
      this.#binary.set(file.source, file.checkpoint(chunk.end, BINARY));
      return;
    }
    let reader = this.#readerOf(chunk);
    const origin = originOfSource(source, file.captures, projectOf);
    if (reader === undefined) {
      // A file that was cut off under its writer begins with a hole of NULs, of any length.
      const text = file.state === '' ? lengthOfHole(bytes) : 0;
      if (text === bytes.length) return;
      bytes = bytes.subarray(text);
      if (start === 0 && isBinary(bytes)) {
        this.#refuse(chunk, origin.project);
        return;
      }
      const cri = file.state === CRI || (start === 0 && isCri(bytes));
      reader = this.#begin(file, start + text, cri);
    }
    reader.touchedAt = clock.elapsed();
    reader.push(bytes, { origin, observedAt: clock.now() });
    this.#touched.add(reader);
    if (reader.waits) this.#waiting.add(reader);
    else this.#waiting.delete(reader);
  }

  #readerOf({ file, start }: FileChunk): StreamReader | undefined {
    const late = this.#late.get(file.source);
    if (late !== undefined) return late;
    const reader = this.#streams.get(file.stream);
    if (reader === undefined || reader.file?.source === file.source) return reader;
    if (reader.open) return undefined;
    if (start === 0) {
      this.#batch.begins.push(file.checkpoint(0));
      reader.append(file);
      return reader;
    }
    // Read before as far as here, so nothing of its predecessor goes on in it.
    this.#flush(reader);
    this.#streams.delete(file.stream);
    return undefined;
  }

  #flush(reader: StreamReader): void {
    reader.flush(this.#deps.clock.now());
    this.#waiting.delete(reader);
    this.#touched.add(reader);
  }

  #begin(file: TailedFile, start: number, cri: boolean): StreamReader {
    this.#batch.begins.push(file.checkpoint(start, cri ? CRI : file.state));
    const reader: StreamReader = new StreamReader(
      file,
      start,
      originOfSource(this.#deps.source, file.captures, this.#deps.projectOf),
      {
        zone: this.#zone,
        maxRecordBytes: this.#deps.config.maxRecordBytes,
        cri,
        out: (record) => {
          if (record === undefined) this.#batch.drop('blank');
          else this.#batch.keep(record);
        },
      },
    );
    if (this.#streams.has(file.stream)) this.#late.set(file.source, reader);
    else this.#streams.set(file.stream, reader);
    return reader;
  }

  #refuse({ file, bytes, end }: FileChunk, project: string): void {
    this.#binary.set(file.source, file.checkpoint(end, BINARY));
    this.#batch.quarantined.push({
      id: `${file.source}:0`,
      collector: 'logs',
      source: file.path,
      reason: BINARY,
      project,
      observedAt: this.#deps.clock.now(),
      raw: bytes.toString('latin1', 0, RAW_BYTES),
    });
  }

  #end({ file, reason, end }: FileEnd): void {
    this.#heldSince.delete(file.source);
    if (this.#binary.has(file.source)) return;
    if (reason === 'damaged' || reason === 'truncated') {
      this.#deps.logger.info({ path: file.path, reason }, 'a log file ended early');
    }
    const late = this.#late.get(file.source);
    const reader = late ?? this.#streams.get(file.stream);
    if (reader?.holds(file.source) !== true) {
      // Nothing of it was read here: its position says that nothing is left to read.
      this.#checkpoints.push(file.checkpoint(end));
      return;
    }
    if (reader.file?.source !== file.source) return;
    this.#touched.add(reader);
    reader.open = false;
    if (late !== undefined || reason === 'deleted' || reason === 'truncated') {
      this.#flush(reader);
      this.#late.delete(file.source);
      if (late === undefined) this.#streams.delete(file.stream);
    }
  }

  #flushQuiet(): void {
    const { clock, config } = this.#deps;
    const now = clock.elapsed();
    for (const reader of this.#waiting) {
      const patienceMs = config.quietMs * (reader.hasHalfLine ? HALF_LINE_FACTOR : 1);
      // A line that goes on may lie in the file already, and wait for its project's turn.
      if (now - reader.touchedAt < patienceMs || reader.file?.drained === false) continue;
      this.#flush(reader);
    }
  }

  /** All that was read is stored. An event that waits for its end is read again by the next process. */
  #leave(claims: StreamClaims): void {
    const readers = [...this.#streams, ...this.#late].map(([, reader]) => reader);
    for (const reader of readers) {
      const { file } = reader;
      if (file === undefined || !claims.isLeaving(file.stream)) continue;
      this.#waiting.delete(reader);
      this.#late.delete(file.source);
      if (this.#streams.get(file.stream) === reader) this.#streams.delete(file.stream);
    }
    for (const [source, { position }] of this.#binary) {
      const stream = parseFilePosition(position)?.stream;
      if (stream !== undefined && claims.isLeaving(stream)) this.#binary.delete(source);
    }
    claims.left();
  }

  /**
   * Begins to store what was read, once the batch before is stored: two are held at most. Of a
   * source that several processes divide, it is stored at the end of this.
   */
  async #store(signal: AbortSignal): Promise<void> {
    if (this.#failed) await this.#storing;
    const batch = this.#batch;
    const checkpoints = [...this.#checkpoints, ...this.#binary.values()];
    for (const reader of this.#touched) checkpoints.push(...reader.checkpoints());
    const nothing = batch.records.length + batch.quarantined.length + batch.dropped.size === 0;
    if (nothing && this.#touched.size + this.#checkpoints.length === 0) return;
    const { writer, claims, deliver } = this.#deps;
    await this.#storing;
    const storing = deliver(batch.delivery(writer, checkpoints, claims?.fences()), signal);
    storing.catch(() => {
      this.#failed = true;
    });
    this.#storing = storing;
    // Whoever takes a stream over may begin only where this one has stored.
    if (claims !== undefined) await storing;
    this.#batch = new LogBatch(this.#deps.quotas);
    this.#checkpoints = [];
    this.#touched.clear();
  }
}

function lengthOfHole(bytes: Uint8Array): number {
  let length = 0;
  while (length < bytes.length && bytes[length] === 0) length += 1;
  return length;
}

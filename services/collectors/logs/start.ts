import type { RestIngest } from '../../../shared/contracts/rest.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { Clock } from '../../../shared/runtime/clock.ts';
import type { LogWriter } from '../../../shared/stores/log-store.ts';
import type { Quarantine, QuarantinedRecord } from '../../../shared/stores/quarantine.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';
import type { Metrics } from '../../../shared/telemetry/metrics.ts';
import { parseProjectId } from '../../../shared/values/project-id.ts';
import { decodeText } from '../core/decode-text.ts';
import { createDeliver } from '../core/deliver.ts';
import { FairGate } from '../core/fair-gate.ts';
import type { IngestHandler, IngestRequest } from '../core/ingest.ts';
import { parseQueueSource, type QueuedBatch, type QueueHandler } from '../core/queue.ts';
import { type KafkaInput, startKafkaInput } from '../inputs/kafka-input.ts';
import { type FileLeases, openSharedFiles } from '../inputs/shared-files.ts';
import type { LogFileSource, LogsConfig } from './config.ts';
import { FileSource, SHARED_LOG_FILES } from './file-source.ts';
import { fateOfLine, type PushContext, refusedId } from './ingest-lines.ts';
import { LogBatch } from './log-batch.ts';
import { LogQuotas } from './log-quotas.ts';
import type { ProjectOf } from './origin-of-source.ts';
import { LocalTime } from './parse/local-time.ts';
import { readQueued } from './read-queued.ts';
import { TcpSources } from './tcp-sources.ts';

export interface LogsDeps {
  readonly config: LogsConfig;
  readonly writer: LogWriter;
  readonly quarantine: Quarantine;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Lines over TCP wait here until they are stored; on the disk of the log store. */
  readonly spoolFolder: string;
  /** The project of an application that the ledger knows. */
  readonly projectOf?: ProjectOf;
  /** Where several collectors share the stores of logs and checkpoints. */
  readonly leases?: FileLeases;
}

export interface ReplayResult {
  /** Stored now, and gone from the quarantine. */
  readonly stored: number;
  /** Refused again. */
  readonly refused: number;
}

export interface LogsCollector extends IngestHandler, QueueHandler, AsyncDisposable {
  /** Sends quarantined records through the parser again. */
  replay(records: readonly QuarantinedRecord[]): Promise<ReplayResult>;
  /** Where the TCP listeners are, in the order of the configuration. */
  readonly tcpAddresses: readonly { readonly host: string; readonly port: number }[];
}

const RAW_CHARS = 64 * 1_024;
const RESTART_MS = 10_000;
const ANNOUNCE_POLL_MS = 1_000;
/** Bytes of pushed bodies that the store is given at a time. */
const WORK_BYTES = 2 * 1_048_576;
const UTC = new LocalTime('UTC');

class Logs implements LogsCollector {
  readonly #deps: LogsDeps;
  readonly #deliver: ReturnType<typeof createDeliver>;
  readonly #stop = new AbortController();
  readonly #giveUp = new AbortController();
  readonly #shared: ReturnType<typeof openSharedFiles>;
  readonly #files: Promise<void>[];
  readonly #quotas: LogQuotas;
  readonly #gate: FairGate;
  readonly #announcing: Promise<void>;
  #tcp: TcpSources | undefined;
  #kafka: KafkaInput | undefined;

  constructor(deps: LogsDeps) {
    this.#deps = deps;
    this.#deliver = createDeliver({ collector: 'logs', ...deps });
    this.#quotas = new LogQuotas(deps.config.quota, deps);
    this.#gate = new FairGate({
      workBytes: Math.min(WORK_BYTES, deps.config.maxRequestBytes),
      limitBytes: deps.config.maxRequestBytes,
      name: 'pushed logs',
    });
    this.#shared = openSharedFiles(deps.config.files, {
      ...deps,
      leases: deps.leases,
      ...{ collector: 'logs', store: 'logs', ttlMs: deps.config.sharedLeaseMs },
    });
    this.#announcing = deps.config.quota.length === 0 ? Promise.resolve() : this.#announce();
    this.#files = deps.config.files.map((source) => this.#follow(source));
  }

  /** A failure that is no store's begins again from the stored positions, so it loses nothing. */
  async #follow(source: LogFileSource): Promise<void> {
    const { clock, logger, projectOf, writer } = this.#deps;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const claims = source.shared
        ? this.#shared?.claims({
            ...{ cluster: source.cluster, prefix: SHARED_LOG_FILES },
            load: (prefix) => writer.checkpoints(prefix),
          })
        : undefined;
      try {
        using _ = claims;
        const file = new FileSource({
          ...this.#deps,
          source,
          deliver: this.#deliver,
          projectOf,
          quotas: this.#quotas,
          claims,
        });
        await file.run(signal, this.#giveUp.signal);
      } catch (error) {
        if (this.#giveUp.signal.aborted) return;
        if (error instanceof AppError && error.code === 'FENCED') {
          logger.info({ paths: source.paths }, 'another collector has taken over shared log files');
          await this.#shared?.recheck();
          continue;
        }
        logger.error({ err: error, paths: source.paths }, 'log files are not followed for now');
        await clock.sleep(RESTART_MS, signal);
      }
    }
  }

  /** Tells projects over their quota so, in their own logs. */
  async #announce(): Promise<void> {
    const { clock, writer, logger } = this.#deps;
    while (!this.#stop.signal.aborted) {
      await clock.sleep(ANNOUNCE_POLL_MS, this.#stop.signal);
      const batch = new LogBatch();
      for (const record of this.#quotas.announcements()) batch.keep(record);
      if (batch.records.length === 0) continue;
      try {
        await this.#deliver(batch.delivery(writer, []), this.#giveUp.signal);
      } catch (error) {
        logger.warn({ err: error }, 'a project was not told of its log quota');
      }
    }
  }

  get tcpAddresses(): { host: string; port: number }[] {
    return this.#tcp?.addresses ?? [];
  }

  async listen(): Promise<void> {
    const { config, projectOf } = this.#deps;
    if (config.kafka !== undefined) {
      const source = { collector: 'logs', config: config.kafka, handler: this };
      this.#kafka = startKafkaInput({ ...this.#deps, ...source });
    }
    if (config.tcp.length === 0) return;
    this.#tcp = await TcpSources.open(
      { ...this.#deps, deliver: this.#deliver, projectOf, quotas: this.#quotas },
      this.#giveUp.signal,
    );
  }

  async ingest(request: IngestRequest): Promise<RestIngest> {
    const { config } = this.#deps;
    const { project } = request;
    return await this.#inTime(async (signal) => {
      const bytes = Math.max(1, request.body.length);
      const whose = project ?? '';
      using _ = this.#gate.tryEnter(whose, bytes) ?? (await this.#gate.enter(whose, bytes, signal));
      const text = decodeText(request.body);
      const context: PushContext = {
        project,
        cluster: request.cluster,
        onlyProjects: request.onlyProjects,
        observedAt: request.receivedAt,
        maxRecordBytes: config.maxRecordBytes,
        zone: UTC,
        projectOf: this.#deps.projectOf,
      };
      return await this.#push(text.split('\n'), context, signal);
    });
  }

  async take(queued: QueuedBatch, signal: AbortSignal): Promise<void> {
    const context: PushContext = {
      project: queued.project,
      cluster: queued.cluster,
      observedAt: queued.receivedAt,
      maxRecordBytes: this.#deps.config.maxRecordBytes,
      zone: UTC,
      projectOf: this.#deps.projectOf,
    };
    const batch = readQueued(queued, context, this.#quotas);
    await this.#deliver(batch.delivery(this.#deps.writer, []), signal);
  }

  async replay(records: readonly QuarantinedRecord[]): Promise<ReplayResult> {
    let stored = 0;
    const gone: string[] = [];
    for (const { id, source, project, observedAt, raw } of records) {
      const queue = parseQueueSource(source);
      const context: PushContext = {
        project: parseProjectId(project),
        cluster: queue?.cluster ?? source,
        observedAt,
        maxRecordBytes: this.#deps.config.maxRecordBytes,
        zone: UTC,
        projectOf: this.#deps.projectOf,
      };
      const fate = fateOfLine(raw, context);
      if (fate.fate !== 'kept') continue;
      const batch = new LogBatch();
      // Its identity in the quarantine, so that a replay that is cut short stores nothing twice.
      batch.keep({ ...fate.record, id: fate.record.id ?? id });
      const result = await this.#inTime((signal) =>
        this.#deliver(batch.delivery(this.#deps.writer, []), signal),
      );
      stored += result.stored;
      gone.push(id);
    }
    await this.#deps.quarantine.remove(gone);
    return { stored, refused: records.length - gone.length };
  }

  async #push(
    lines: readonly string[],
    context: PushContext,
    signal: AbortSignal,
  ): Promise<RestIngest> {
    const batch = new LogBatch(this.#quotas);
    const verdicts: RestIngest['verdicts'] = [];
    for (const [i, line] of lines.entries()) {
      if (line.trim() === '') continue;
      const fate = fateOfLine(line, context);
      if (fate.fate === 'kept') {
        const reason = batch.keep(fate.record);
        if (reason !== undefined) verdicts.push({ line: i + 1, fate: 'dropped', reason });
        continue;
      }
      verdicts.push({ line: i + 1, fate: fate.fate, reason: fate.reason });
      if (fate.fate === 'dropped') batch.drop(fate.reason);
      else batch.quarantined.push(refusedRecord(line, fate.reason, context));
    }
    const dropped = verdicts.filter(({ fate }) => fate === 'dropped').length;
    const answer = { dropped, quarantined: batch.quarantined.length, verdicts };
    if (batch.records.length + verdicts.length === 0)
      return { stored: 0, duplicates: 0, ...answer };
    const written = await this.#deliver(batch.delivery(this.#deps.writer, []), signal);
    const { stored, duplicates } = written;
    return { stored, duplicates, ...answer };
  }

  /** A sender waits for a store that is away only so long. */
  async #inTime<R>(work: (signal: AbortSignal) => Promise<R>): Promise<R> {
    const { clock, config } = this.#deps;
    const late = new AbortController();
    const over = new AbortController();
    const patience = clock.sleep(config.storeTimeoutMs, over.signal).then(() => {
      late.abort(new AppError('STORE_UNAVAILABLE', 'the log store did not answer in time'));
    });
    try {
      return await work(AbortSignal.any([late.signal, this.#giveUp.signal]));
    } finally {
      over.abort();
      await patience;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { clock, config } = this.#deps;
    this.#stop.abort();
    const done = new AbortController();
    const patience = clock.sleep(config.storeTimeoutMs, done.signal).then(() => {
      this.#giveUp.abort(new AppError('STORE_UNAVAILABLE', 'stopped before storing'));
    });
    await Promise.all([
      ...this.#files,
      this.#announcing,
      this.#tcp?.[Symbol.asyncDispose](),
      this.#kafka?.[Symbol.asyncDispose](),
    ]);
    await this.#shared?.[Symbol.asyncDispose]();
    done.abort();
    await patience;
  }
}

function refusedRecord(line: string, reason: string, context: PushContext): QuarantinedRecord {
  return {
    id: refusedId(line, context),
    collector: 'logs',
    source: context.cluster,
    reason,
    project: context.project ?? '',
    observedAt: context.observedAt,
    raw: line.slice(0, RAW_CHARS),
  };
}

/** Builds the log collector and starts its inputs. Disposing stores what was read. */
export async function startLogs(deps: LogsDeps): Promise<LogsCollector> {
  const logs = new Logs(deps);
  try {
    await logs.listen();
  } catch (error) {
    await logs[Symbol.asyncDispose]();
    throw error;
  }
  return logs;
}

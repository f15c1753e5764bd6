import { z } from 'zod';
import type { Clock } from '../../../shared/runtime/clock.ts';
import type { Checkpoint } from '../../../shared/stores/checkpoint.ts';
import type { LogWriteResult, LogWriter } from '../../../shared/stores/log-store.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';
import type { Metrics } from '../../../shared/telemetry/metrics.ts';
import type { Delivery } from '../core/deliver.ts';
import { listenTcp, type TcpInput } from '../inputs/tcp-input.ts';
import type { LogsConfig, LogTcpSource } from './config.ts';
import { LogBatch } from './log-batch.ts';
import type { LogQuotas } from './log-quotas.ts';
import { originOfSource, type ProjectOf } from './origin-of-source.ts';
import { LocalTime } from './parse/local-time.ts';
import { wholeRecord } from './parse/record-assembler.ts';
import { TimeReader } from './parse/time-reader.ts';
import { toLogRecord } from './parse/to-log-record.ts';
import { Spool, type SpoolFrame } from './spool.ts';
import { parseFrame } from './spool-frame.ts';
import { spoolId } from './spool-id.ts';
import { TcpLogConnection } from './tcp-connection.ts';

export interface TcpSourcesDeps {
  readonly config: LogsConfig;
  readonly spoolFolder: string;
  readonly writer: LogWriter;
  readonly deliver: (
    delivery: Delivery<LogWriteResult>,
    signal: AbortSignal,
  ) => Promise<LogWriteResult>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly projectOf: ProjectOf | undefined;
  readonly quotas: LogQuotas;
}

const PREFIX = 'logs:tcp-spool:';
const TAKE_BYTES = 4 * 1_048_576;
const BUFFER_BYTES = 256 * 1_024;

const position = z.object({
  segment: z.number().int().nonnegative(),
  offset: z.number().int().nonnegative(),
});

function parsePosition(text: string | undefined): z.infer<typeof position> | undefined {
  try {
    return text === undefined ? undefined : position.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** TCP listeners, the spool behind them, and the loop from the spool to the store. */
export class TcpSources implements AsyncDisposable {
  readonly #deps: TcpSourcesDeps;
  readonly #source: string;
  readonly #spool: Spool;
  readonly #connections = new Set<TcpLogConnection>();
  readonly #stop = new AbortController();
  readonly #giveUp: AbortSignal;
  readonly #zones = new Map<string, LocalTime>();
  readonly #bytes: (labels: Record<string, string>, value: number) => void;
  #inputs: TcpInput[] = [];
  #storing: Promise<void> = Promise.resolve();
  #sweeping: Promise<void> = Promise.resolve();

  private constructor(deps: TcpSourcesDeps, source: string, spool: Spool, giveUp: AbortSignal) {
    this.#deps = deps;
    this.#source = source;
    this.#spool = spool;
    this.#giveUp = giveUp;
    this.#bytes = deps.metrics.gauge('tollgate_log_spool_bytes', 'Bytes that wait in the spool.');
  }

  static async open(deps: TcpSourcesDeps, giveUp: AbortSignal): Promise<TcpSources> {
    const { config, writer, clock, logger } = deps;
    const source = `${PREFIX}${spoolId(deps.spoolFolder, deps.random)}`;
    const [known] = await writer.checkpoints(source);
    const spool = new Spool({
      folder: deps.spoolFolder,
      maxBytes: config.spoolBytes,
      from: parsePosition(known?.position),
      clock,
      logger,
    });
    const sources = new TcpSources(deps, source, spool, giveUp);
    sources.#storing = sources.#store();
    sources.#sweeping = sources.#sweep();
    try {
      for (const source of config.tcp) sources.#inputs.push(await sources.#listen(source));
    } catch (error) {
      await sources[Symbol.asyncDispose]();
      throw error;
    }
    return sources;
  }

  get addresses(): { host: string; port: number }[] {
    return this.#inputs.map(({ host, port }) => ({ host, port }));
  }

  #listen(source: LogTcpSource): Promise<TcpInput> {
    const { config, clock, logger, metrics } = this.#deps;
    return listenTcp({
      host: source.host,
      port: source.port,
      tls: source.tls,
      insecure: source.insecure,
      clock,
      name: 'logs',
      bufferBytes: BUFFER_BYTES,
      maxConnections: config.maxConnections,
      idleTimeoutMs: config.idleTimeoutMs,
      logger,
      metrics,
      onConnection: async ({ chunks }) => {
        const deps = { config, spool: this.#spool, clock, signal: this.#giveUp };
        const connection = new TcpLogConnection(source, deps);
        this.#connections.add(connection);
        try {
          for await (const chunk of chunks) await connection.push(chunk);
        } finally {
          this.#connections.delete(connection);
          await connection.end();
        }
      },
    });
  }

  async #sweep(): Promise<void> {
    const { clock, config, logger } = this.#deps;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await clock.sleep(config.quietMs, signal);
      for (const connection of this.#connections) {
        try {
          await connection.flushQuiet(config.quietMs);
        } catch (error) {
          logger.warn({ err: error }, 'an event over TCP was not spooled');
        }
      }
    }
  }

  async #store(): Promise<void> {
    for (;;) {
      const frames = await this.#spool.take(TAKE_BYTES);
      const last = frames.at(-1);
      if (last === undefined) return;
      const batch = new LogBatch(this.#deps.quotas);
      for (const frame of frames) this.#read(frame, batch);
      const checkpoint: Checkpoint = { source: this.#source, position: JSON.stringify(last.end) };
      try {
        await this.#deps.deliver(batch.delivery(this.#deps.writer, [checkpoint]), this.#giveUp);
      } catch (error) {
        // What is in the spool stays there for the next start.
        this.#deps.logger.error({ err: error }, 'the spool of logs over TCP is not being stored');
        return;
      }
      this.#spool.release(last.end);
      this.#bytes({}, this.#spool.bytes);
    }
  }

  #read({ payload, end }: SpoolFrame, batch: LogBatch): void {
    const frame = parseFrame(payload);
    if (frame === undefined) {
      this.#deps.logger.error({ ...end }, 'a frame of the log spool is not understood');
      batch.drop('spool-frame-unknown');
      return;
    }
    const { head, events } = frame;
    const time = new TimeReader(this.#zone(head.zone));
    const origin = originOfSource({ cluster: head.cluster, project: head.project }, {}, undefined);
    for (const [i, event] of events.entries()) {
      const raw = wholeRecord(event.toString('latin1'), time, this.#deps.config.maxRecordBytes);
      const { observedAt } = head;
      const record = toLogRecord(raw, {
        origin,
        time,
        observedAt,
        lastAt: undefined,
        trusted: true,
        position: `${this.#source}#${end.segment}/${end.offset}/${i}`,
      });
      if (record === undefined) batch.drop('blank');
      else if (head.project !== undefined || record.project !== origin.project) batch.keep(record);
      else {
        const project = this.#deps.projectOf?.(record.cluster, record.application);
        batch.keep(project === undefined ? record : { ...record, project });
      }
    }
  }

  #zone(name: string): LocalTime {
    let zone = this.#zones.get(name);
    if (zone === undefined) {
      zone = new LocalTime(name);
      this.#zones.set(name, zone);
    }
    return zone;
  }

  /** What has arrived is spooled, and stored unless the store stays away. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#inputs.map((input) => input[Symbol.asyncDispose]()));
    this.#stop.abort();
    await this.#sweeping;
    await this.#spool.close();
    await this.#storing;
    await this.#spool[Symbol.asyncDispose]();
  }
}

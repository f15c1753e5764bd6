import type { RestIngest } from '../../../shared/contracts/rest.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { Clock } from '../../../shared/runtime/clock.ts';
import type { MetricWriter } from '../../../shared/stores/metric-store.ts';
import type { Quarantine, QuarantinedRecord } from '../../../shared/stores/quarantine.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';
import type { Metrics } from '../../../shared/telemetry/metrics.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import { parseProjectId } from '../../../shared/values/project-id.ts';
import { FairGate } from '../core/fair-gate.ts';
import type { IngestHandler, IngestRequest } from '../core/ingest.ts';
import { parseQueueSource, type QueuedBatch, type QueueHandler } from '../core/queue.ts';
import { type KafkaInput, startKafkaInput } from '../inputs/kafka-input.ts';
import { listenTcp, type TcpConnection, type TcpInput } from '../inputs/tcp-input.ts';
import type { GraphiteSource, MetricsConfig } from './config.ts';
import { GraphiteReader } from './graphite-reader.ts';
import { MetricPipeline } from './metric-pipeline.ts';
import { PointBatch } from './point-batch.ts';
import { type PrometheusTarget, targetSource } from './prometheus-target.ts';
import { type ExpositionRules, readExposition } from './read-exposition.ts';
import { type PushedRules, readPushed } from './read-pushed.ts';
import { readQueued } from './read-queued.ts';
import { type ProjectOf, resolveName } from './resolve-name.ts';
import { scrapeTargets } from './scrape-targets.ts';
import { SeriesTable } from './series-table.ts';

export interface MetricsDeps {
  readonly config: MetricsConfig;
  readonly writer: MetricWriter;
  readonly quarantine: Quarantine;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Project of an application where the source fixes none. */
  readonly projectOf?: ProjectOf;
}

export interface MetricsCollector extends AsyncDisposable, IngestHandler, QueueHandler {
  /** Reads quarantined records again; what is now stored or dropped leaves the quarantine. */
  replay(records: readonly QuarantinedRecord[]): Promise<RestIngest>;
  /** Address of the first Graphite listener. */
  readonly tcpAddress: { readonly host: string; readonly port: number } | undefined;
  /** Addresses of all of them, in the order of the configuration. */
  readonly tcpAddresses: readonly { readonly host: string; readonly port: number }[];
}

/** Bytes of pushed bodies that the store is given at a time. */
const WORK_BYTES = 2 * 1_048_576;
/** For lines whose listener is no longer configured. */
const NO_SOURCE = { host: '', port: 0, projectFromPrefix: false, prefixSegments: 0 };

class Collector implements MetricsCollector {
  readonly #deps: MetricsDeps;
  readonly #table: SeriesTable;
  readonly #pipeline: MetricPipeline;
  readonly #running: Promise<void>;
  readonly #stop = new AbortController();
  readonly #inputs: TcpInput[] = [];
  #kafka: KafkaInput | undefined;
  readonly #stopScraping = new AbortController();
  readonly #scraping: Promise<void>;
  readonly #gate: FairGate;

  constructor(deps: MetricsDeps) {
    this.#deps = deps;
    const { maxRequestBytes } = deps.config;
    const workBytes = Math.min(WORK_BYTES, maxRequestBytes);
    this.#gate = new FairGate({ workBytes, limitBytes: maxRequestBytes, name: 'pushed metrics' });
    this.#table = new SeriesTable(deps.writer, deps.config);
    this.#pipeline = new MetricPipeline({ ...deps, table: this.#table }, deps.config);
    this.#running = this.#pipeline.run(this.#stop.signal);
    this.#scraping = scrapeTargets(
      {
        ...deps,
        targets: deps.config.prometheus,
        parallelScrapes: deps.config.parallelScrapes,
        pipeline: this.#pipeline,
        rulesOf: (target) => this.#expositionRules(target, deps.clock.now()),
      },
      this.#stopScraping.signal,
    );
  }

  #expositionRules(target: PrometheusTarget, at: Instant): Omit<ExpositionRules, 'batch'> {
    const { config, clock, projectOf } = this.#deps;
    return {
      target,
      table: this.#table,
      projectOf: projectOf ?? (() => undefined),
      at,
      notBefore: clock.now() - config.maxPastMs,
      notAfter: clock.now() + config.maxFutureMs,
      maxLineBytes: config.maxLineBytes,
    };
  }

  async listen(): Promise<void> {
    const { config, clock, logger, metrics } = this.#deps;
    for (const source of config.graphite) {
      const input = await listenTcp({
        host: source.host,
        port: source.port,
        tls: source.tls,
        insecure: source.insecure,
        clock,
        name: 'graphite',
        maxConnections: config.maxConnections,
        idleTimeoutMs: config.idleTimeoutMs,
        onConnection: (connection) => this.#read(source, connection),
        logger,
        metrics,
      });
      this.#inputs.push(input);
    }
    if (config.kafka === undefined) return;
    const source = { collector: 'metrics', config: config.kafka, handler: this };
    this.#kafka = startKafkaInput({ ...this.#deps, ...source });
  }

  get tcpAddresses(): readonly { host: string; port: number }[] {
    return this.#inputs.map(({ host, port }) => ({ host, port }));
  }

  get tcpAddress(): { host: string; port: number } | undefined {
    return this.tcpAddresses[0];
  }

  #reader(source: Omit<GraphiteSource, 'tls' | 'insecure'>, name: string): GraphiteReader {
    const { config, clock } = this.#deps;
    const projectOf: ProjectOf = this.#deps.projectOf ?? (() => undefined);
    return new GraphiteReader(this.#table, {
      source: name,
      maxLineBytes: config.maxLineBytes,
      notBefore: () => clock.now() - config.maxPastMs,
      notAfter: () => clock.now() + config.maxFutureMs,
      observedAt: () => clock.now(),
      resolve: (latin1) => resolveName(latin1, { source, projectOf }),
    });
  }

  async #read(source: GraphiteSource, { chunks }: TcpConnection): Promise<void> {
    const reader = this.#reader(source, `graphite:${source.cluster}`);
    for await (const chunk of chunks) {
      reader.read(chunk, this.#pipeline.batch);
      await this.#pipeline.room();
    }
    reader.end(this.#pipeline.batch);
    await this.#pipeline.room();
  }

  async ingest(request: IngestRequest): Promise<RestIngest> {
    const bytes = Math.max(1, request.body.length);
    const whose = request.project ?? '';
    using _ =
      this.#gate.tryEnter(whose, bytes) ??
      (await this.#gate.enter(whose, bytes, this.#stop.signal));
    const batch = new PointBatch();
    const answer = this.#readPushed(request, batch);
    await this.#push(batch);
    return answer;
  }

  async take(queued: QueuedBatch, signal: AbortSignal): Promise<void> {
    const batch = new PointBatch();
    const { project, cluster } = queued;
    const listener = { ...NO_SOURCE, cluster, project };
    readQueued(queued, batch, {
      rules: this.#rules(),
      graphite: (source) => this.#reader(listener, source),
    });
    await this.#pipeline.push(batch, signal);
  }

  async #push(batch: PointBatch): Promise<void> {
    const { clock, config } = this.#deps;
    const over = new AbortController();
    const answered = new AbortController();
    const waiting = AbortSignal.any([this.#stop.signal, over.signal]);
    const patience = clock.sleep(config.storeTimeoutMs, answered.signal).then(() => over.abort());
    try {
      await this.#pipeline.push(batch, waiting);
    } catch (error) {
      if (error instanceof AppError || !waiting.aborted) throw error;
      throw new AppError('STORE_UNAVAILABLE', 'the metric store is away; send again later', {
        cause: error,
      });
    } finally {
      answered.abort();
      await patience;
    }
  }

  async replay(records: readonly QuarantinedRecord[]): Promise<RestIngest> {
    const batch = new PointBatch();
    const done: string[] = [];
    for (const record of records) {
      const refused = batch.quarantined.length;
      this.#reread(record, batch);
      if (batch.quarantined.length === refused) done.push(record.id);
    }
    const dropped = [...batch.dropped.values()].reduce((sum, count) => sum + count, 0);
    await this.#push(batch);
    if (done.length > 0) await this.#deps.quarantine.remove(done);
    const quarantined = batch.quarantined.length;
    return { stored: batch.length, duplicates: 0, dropped, quarantined, verdicts: [] };
  }

  #reread(record: QuarantinedRecord, batch: PointBatch): void {
    const queue = parseQueueSource(record.source);
    if (queue !== undefined) {
      const { id, raw, observedAt, project: name, source } = record;
      const project = parseProjectId(name);
      const records = [{ id, text: raw }];
      const listener = { ...NO_SOURCE, cluster: queue.cluster, project };
      const place = { ...queue, project, receivedAt: observedAt, bytes: raw.length };
      const graphite = (): GraphiteReader => this.#reader(listener, source);
      readQueued({ ...place, records }, batch, { rules: this.#rules(), graphite });
      return;
    }
    const { kind, cluster } = /^(?<kind>\w+):(?<cluster>.*)$/s.exec(record.source)?.groups ?? {};
    const body = Buffer.from(`${record.raw}\n`);
    if (kind === 'http') {
      const project = parseProjectId(record.project);
      const request = { body, project, cluster: cluster ?? '', receivedAt: record.observedAt };
      this.#readPushed(request, batch);
      return;
    }
    const { graphite, prometheus } = this.#deps.config;
    const target = prometheus.find((one) => targetSource(one) === record.source);
    if (target !== undefined) {
      const rules = this.#expositionRules(target, record.observedAt);
      readExposition(`${record.raw}\n`, 'text', { ...rules, batch });
      return;
    }
    const source = graphite.find((one) => one.cluster === cluster) ?? {
      ...NO_SOURCE,
      cluster: cluster ?? '',
    };
    this.#reader(source, record.source).read(body, batch);
  }

  #readPushed(request: IngestRequest, batch: PointBatch): RestIngest {
    return readPushed(request, { ...this.#rules(), batch, source: `http:${request.cluster}` });
  }

  #rules(): Omit<PushedRules, 'batch' | 'source'> {
    const { config, clock, projectOf } = this.#deps;
    return {
      table: this.#table,
      notBefore: clock.now() - config.maxPastMs,
      notAfter: clock.now() + config.maxFutureMs,
      projectOf: projectOf ?? (() => undefined),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { clock, config } = this.#deps;
    const giveUp = new AbortController();
    const timeout = clock
      .sleep(config.storeTimeoutMs, giveUp.signal)
      .then(() => this.#stop.abort());
    this.#stopScraping.abort();
    await Promise.all([
      this.#scraping,
      this.#kafka?.[Symbol.asyncDispose](),
      ...this.#inputs.map((input) => input[Symbol.asyncDispose]()),
    ]);
    this.#pipeline.close();
    await this.#running;
    giveUp.abort();
    await timeout;
  }
}

/**
 * Starts the metric collector: its Graphite listeners, its scrapes, and the door for pushed metrics.
 *
 * @throws AppError PORT_TAKEN when a listener's port is taken
 */
export async function startMetrics(deps: MetricsDeps): Promise<MetricsCollector> {
  const collector = new Collector(deps);
  try {
    await collector.listen();
  } catch (error) {
    await collector[Symbol.asyncDispose]();
    throw error;
  }
  return collector;
}

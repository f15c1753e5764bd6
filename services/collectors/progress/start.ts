import type { RestIngest } from '../../../shared/contracts/rest.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { Quarantine, QuarantinedRecord } from '../../../shared/stores/quarantine.ts';
import { SHARED_SOURCES } from '../../../shared/stores/scoped-checkpoints.ts';
import { parseProjectId, UNATTRIBUTED } from '../../../shared/values/project-id.ts';
import type { IngestHandler } from '../core/ingest.ts';
import type { QueueHandler } from '../core/queue.ts';
import { tail } from '../inputs/file-input.ts';
import { startKafkaInput } from '../inputs/kafka-input.ts';
import { compilePathPattern } from '../inputs/path-pattern.ts';
import { type FileLeases, openSharedFiles } from '../inputs/shared-files.ts';
import { type FollowDeps, followFiles } from './follow-files.ts';
import { ingestBody } from './ingest-body.ts';
import { ProgressCollector, type ProgressCollectorDeps } from './progress-collector.ts';
import { readQueued } from './read-queued.ts';
import { parseOrigin } from './record-batch.ts';
import { ShardCollectors } from './shard-collectors.ts';

export type ProgressDeps = ProgressCollectorDeps & {
  /** Where several collectors share the stores of metrics and checkpoints. */
  readonly leases?: FileLeases;
};

export interface Progress extends AsyncDisposable, IngestHandler, QueueHandler {
  /** Reads quarantined records again; what is now stored or dropped leaves the quarantine. */
  replay(records: readonly QuarantinedRecord[]): Promise<RestIngest>;
  /** Looks for silent queries now, beside the timer. */
  evaluate(): Promise<void>;
}

const FILE_PREFIX = 'progress:file:';
const SHARED_PREFIX = `${SHARED_SOURCES}${FILE_PREFIX}`;
const RETRY_MS = 5_000;

async function replay(
  collector: ProgressCollector,
  quarantine: Quarantine,
  records: readonly QuarantinedRecord[],
): Promise<RestIngest> {
  const sum = { stored: 0, duplicates: 0, dropped: 0, quarantined: 0, verdicts: [] };
  const done: string[] = [];
  for (const { id, source, project, raw, observedAt } of records) {
    const outcome = await collector.offer({
      // What no project was known for then may have one now.
      origin: parseOrigin(source, project === UNATTRIBUTED ? undefined : parseProjectId(project)),
      receivedAt: observedAt,
      records: () => [{ id, text: raw, line: 1, cut: false }],
      checkpoints: [],
      bytes: raw.length,
    });
    sum.stored += outcome.stored;
    sum.duplicates += outcome.duplicates;
    sum.dropped += outcome.dropped;
    sum.quarantined += outcome.quarantined;
    if (outcome.quarantined === 0) done.push(id);
  }
  if (done.length > 0) await quarantine.remove(done);
  return sum;
}

interface Sharing {
  readonly files: NonNullable<ReturnType<typeof openSharedFiles>>;
  readonly collectors: ShardCollectors;
}

/** @throws AppError CONFIG_INVALID when files are shared that no other process could share */
function openSharing(deps: ProgressDeps): Sharing | undefined {
  const collectors = new ShardCollectors(deps);
  const files = openSharedFiles(deps.config.files, {
    ...deps,
    leases: deps.leases,
    ...{ collector: 'progress', store: 'metrics', ttlMs: deps.config.sharedLeaseMs },
    begin: (shard, fence) => collectors.begin(shard, fence),
  });
  return files && { files, collectors };
}

/** The part of it that this process reads, of a set of files that several see. */
function shareOfFiles(
  source: FollowDeps['source'],
  { files, collectors }: Sharing,
  { writer }: ProgressDeps,
): Pick<FollowDeps, 'shared'> & Disposable {
  const { cluster } = source;
  const claims = files.claims({
    ...{ cluster, prefix: `${SHARED_PREFIX}${cluster}:` },
    load: (prefix) => writer.checkpoints(prefix),
  });
  const collectorOf = (stream: string) => collectors.of(claims.shardOf(stream));
  return {
    shared: { claims, collectorOf },
    [Symbol.dispose]: () => claims[Symbol.dispose](),
  };
}

/** Follows a configured set of files until the signal aborts; what breaks it is said and tried again. */
async function followSource(
  source: FollowDeps['source'],
  { collector, sharing }: { collector: ProgressCollector; sharing: Sharing | undefined },
  deps: ProgressDeps,
  signal: AbortSignal,
): Promise<void> {
  const { config, writer, clock, logger, metrics } = deps;
  const { paths: patterns, cluster } = source;
  while (!signal.aborted) {
    try {
      using share =
        sharing !== undefined && source.shared ? shareOfFiles(source, sharing, deps) : undefined;
      const shared = share?.shared;
      const prefix = `${shared === undefined ? FILE_PREFIX : SHARED_PREFIX}${cluster}:`;
      const from =
        shared === undefined
          ? { prefix, checkpoints: await writer.checkpoints(prefix) }
          : { prefix, checkpoints: [], claims: shared.claims };
      const events = tail({ patterns, ...from, clock, signal, logger, metrics });
      const { maxRecordBytes } = config;
      const to = { collector, ...(shared && { shared }) };
      await followFiles(events, { source, maxRecordBytes, ...to, clock, signal });
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof AppError && error.code === 'FENCED') {
        logger.info({ paths: source.paths }, 'another collector has taken over shared files');
        await sharing?.files.recheck();
        continue;
      }
      logger.error({ err: error, paths: source.paths }, 'progress files are read again');
      await clock.sleep(RETRY_MS, signal);
    }
  }
}

/**
 * Starts the collector of streaming progress: files that are followed, and records that are pushed
 * through `ingest`. Dispose stores what is queued.
 *
 * @throws AppError CONFIG_INVALID when a path's pattern can't be understood
 */
export async function startProgress(deps: ProgressDeps): Promise<Progress> {
  const { config, clock, logger } = deps;
  for (const path of config.files.flatMap(({ paths }) => paths)) {
    compilePathPattern(path, process.cwd());
  }
  await using resources = new AsyncDisposableStack();
  const collector = resources.use(await ProgressCollector.open(deps));
  const sharing = openSharing(deps);
  const stop = new AbortController();

  async function watch(): Promise<void> {
    while (!stop.signal.aborted) {
      await clock.sleep(config.evaluateIntervalMs, stop.signal);
      if (stop.signal.aborted) return;
      try {
        await Promise.all([collector.evaluate(), sharing?.collectors.evaluate()]);
      } catch (error) {
        logger.warn({ err: error }, 'silence of streaming queries is judged at the next turn');
      }
    }
  }

  const loops = [
    watch(),
    ...config.files.map((source) =>
      followSource(source, { collector, sharing }, deps, stop.signal),
    ),
  ];
  const handler: QueueHandler = {
    async take(queued, signal) {
      await (await collector.put(readQueued(queued, config.maxRecordBytes), signal)).stored;
    },
  };
  const kafka =
    config.kafka === undefined
      ? undefined
      : startKafkaInput({ ...deps, collector: 'progress', config: config.kafka, handler });
  resources.move();
  return {
    ...handler,
    ingest: (request) => collector.offer(ingestBody(request, config.maxRecordBytes)),
    replay: (records) => replay(collector, deps.quarantine, records),
    evaluate: async () => {
      await Promise.all([collector.evaluate(), sharing?.collectors.evaluate()]);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all([...loops, kafka?.[Symbol.asyncDispose]()]);
      await sharing?.files[Symbol.asyncDispose]();
      await collector[Symbol.asyncDispose]();
    },
  };
}

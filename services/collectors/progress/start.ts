import type { RestIngest } from '../../../shared/contracts/rest.ts';
import type { Quarantine, QuarantinedRecord } from '../../../shared/stores/quarantine.ts';
import { parseProjectId, UNATTRIBUTED } from '../../../shared/values/project-id.ts';
import type { IngestHandler } from '../core/ingest.ts';
import type { QueueHandler } from '../core/queue.ts';
import { tail } from '../inputs/file-input.ts';
import { startKafkaInput } from '../inputs/kafka-input.ts';
import { compilePathPattern } from '../inputs/path-pattern.ts';
import { followFiles } from './follow-files.ts';
import { ingestBody } from './ingest-body.ts';
import { ProgressCollector, type ProgressCollectorDeps } from './progress-collector.ts';
import { readQueued } from './read-queued.ts';
import { parseOrigin } from './record-batch.ts';

export type ProgressDeps = ProgressCollectorDeps;

export interface Progress extends AsyncDisposable, IngestHandler, QueueHandler {
  /** Reads quarantined records again; what is now stored or dropped leaves the quarantine. */
  replay(records: readonly QuarantinedRecord[]): Promise<RestIngest>;
  /** Looks for silent queries now, beside the timer. */
  evaluate(): Promise<void>;
}

const FILE_PREFIX = 'progress:file:';
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

/** Follows a configured set of files until the signal aborts; what breaks it is said and tried again. */
async function followSource(
  index: number,
  collector: ProgressCollector,
  deps: ProgressDeps,
  signal: AbortSignal,
): Promise<void> {
  const { config, writer, clock, logger, metrics } = deps;
  const source = config.files[index];
  if (source === undefined) return;
  const prefix = `${FILE_PREFIX}${source.cluster}:`;
  while (!signal.aborted) {
    try {
      const checkpoints = await writer.checkpoints(prefix);
      const patterns = source.paths;
      const events = tail({ patterns, prefix, checkpoints, clock, signal, logger, metrics });
      const { maxRecordBytes } = config;
      await followFiles(events, { source, maxRecordBytes, collector, clock, signal });
    } catch (error) {
      if (signal.aborted) return;
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
  const collector = await ProgressCollector.open(deps);
  const stop = new AbortController();

  async function watch(): Promise<void> {
    while (!stop.signal.aborted) {
      await clock.sleep(config.evaluateIntervalMs, stop.signal);
      if (stop.signal.aborted) return;
      try {
        await collector.evaluate();
      } catch (error) {
        logger.warn({ err: error }, 'silence of streaming queries is judged at the next turn');
      }
    }
  }

  const loops = [
    watch(),
    ...config.files.map((_, index) => followSource(index, collector, deps, stop.signal)),
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
  return {
    ...handler,
    ingest: (request) => collector.offer(ingestBody(request, config.maxRecordBytes)),
    replay: (records) => replay(collector, deps.quarantine, records),
    evaluate: () => collector.evaluate(),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all([...loops, kafka?.[Symbol.asyncDispose]()]);
      await collector[Symbol.asyncDispose]();
    },
  };
}

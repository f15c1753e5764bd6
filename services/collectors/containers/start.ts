import { attributeApplication } from '../../../shared/attribution/attribute-application.ts';
import { openCluster } from '../../../shared/clusters/open-cluster.ts';
import type { RestIngest } from '../../../shared/contracts/rest.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import { backoffMs } from '../../../shared/runtime/backoff.ts';
import type { Clock } from '../../../shared/runtime/clock.ts';
import { HeldLease } from '../../../shared/stores/held-lease.ts';
import type { JournalWriter } from '../../../shared/stores/journal.ts';
import type { LeaseStore } from '../../../shared/stores/lease.ts';
import type { Quarantine, QuarantinedRecord } from '../../../shared/stores/quarantine.ts';
import { runWhileHeld } from '../../../shared/stores/run-while-held.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';
import type { Metrics } from '../../../shared/telemetry/metrics.ts';
import type { IngestHandler } from '../core/ingest.ts';
import type { QueueHandler } from '../core/queue.ts';
import { startKafkaInput } from '../inputs/kafka-input.ts';
import type { ContainersConfig } from './config.ts';
import { followEventLogs } from './follow-event-logs.ts';
import { FactIngest } from './ingest-facts.ts';
import type { KnownApplications } from './known-project.ts';
import { createRecordFacts, type RecordFacts } from './record-facts.ts';
import { watchCluster } from './watch-cluster.ts';

export interface ContainersDeps {
  readonly config: ContainersConfig;
  readonly journal: JournalWriter;
  /** Who owns an application, for senders whose token is bound to some projects. */
  readonly known?: KnownApplications;
  readonly quarantine: Quarantine;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Where several collectors share a journal: each cluster is looked at by the one with its lease. */
  readonly leases?: { readonly store: LeaseStore; readonly holder: string };
}

export interface Containers extends AsyncDisposable, IngestHandler, QueueHandler {
  /** Reads quarantined records again; what is stored now leaves the quarantine. */
  replay(records: readonly QuarantinedRecord[]): Promise<RestIngest>;
}

type ClusterConfig = ContainersConfig['clusters'][number];
type Task = (signal: AbortSignal) => Promise<void>;

/** A journal that was away for long is used again within the cap. */
const RETRY = { baseMs: 1_000, capMs: 10_000 };
const STEADY_MS = 300_000;
const LEASE_MS = 15_000;

/** The task under a lease of its name, where others may do the same. */
function aloneWith(name: string, task: Task, deps: ContainersDeps): Task {
  const { leases, clock, logger } = deps;
  if (leases === undefined) return task;
  return async (signal) => {
    const options = { ...leases, name: `containers/${name}`, ttlMs: LEASE_MS, clock };
    await using lease = new HeldLease(options);
    await runWhileHeld(task, { lease, checkIntervalMs: LEASE_MS / 3, clock, logger, signal });
  };
}

/** Runs a task until the signal aborts; what breaks it is said, and it starts again from what is stored. */
async function keepRunning(
  name: string,
  task: Task,
  { clock, random, logger }: Pick<ContainersDeps, 'clock' | 'random' | 'logger'>,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    const startedAt = clock.elapsed();
    try {
      await task(signal);
    } catch (error) {
      if (signal.aborted) return;
      if (clock.elapsed() - startedAt > STEADY_MS) attempt = 0;
      logger.error({ err: error, task: name }, 'a collector of containers broke and starts again');
      await clock.sleep(backoffMs(attempt, { ...RETRY, random }), signal);
    }
  }
}

function clusterTask(
  cluster: ClusterConfig,
  deps: ContainersDeps,
  record: RecordFacts,
): Task | undefined {
  const { config, clock, journal, logger, metrics } = deps;
  const { id, type, pollIntervalMs, goneAfterMs } = cluster;
  if (type === 'none') return undefined;
  const reader = openCluster({ ...cluster, type }, clock);
  return (signal) =>
    watchCluster(
      {
        reader,
        observe: {
          cluster: id,
          witness: reader.witness,
          goneAfterMs,
          attribute: (application) =>
            attributeApplication(config.attribution, { ...application, configuration: new Map() }),
        },
        pollIntervalMs,
        checkpoints: journal,
        record,
        clock,
        logger,
        metrics,
      },
      signal,
    );
}

function eventLogTask(
  cluster: ClusterConfig,
  deps: ContainersDeps,
  record: RecordFacts,
): Task | undefined {
  const { config, clock, journal, logger, metrics } = deps;
  if (cluster.eventLogs.length === 0) return undefined;
  const settings = {
    cluster: cluster.id,
    paths: cluster.eventLogs,
    rules: config.attribution,
    scanIntervalMs: config.scanIntervalMs,
    activityIntervalMs: config.activityIntervalMs,
    settleMs: config.settleMs,
    idleMs: config.idleMs,
    maxAgeDays: config.maxLogAgeDays,
    maxFollowed: config.maxFollowedLogs,
    yarnMemoryStepMib: cluster.yarnMemoryStepMib,
  };
  return (signal) =>
    followEventLogs({ settings, checkpoints: journal, record, clock, logger, metrics }, signal);
}

/**
 * Starts the collector of containers: looks at clusters, follows their event logs, and takes facts
 * that are pushed through `ingest`. Dispose stops them; what was not stored is seen again after the
 * next start.
 *
 * @throws AppError CONFIG_INVALID when a cluster can't be opened
 */
export async function startContainers(deps: ContainersDeps): Promise<Containers> {
  const { config, quarantine } = deps;
  const stop = new AbortController();
  const record = createRecordFacts(deps);
  const ingest = new FactIngest({
    attribute: (application) => attributeApplication(config.attribution, application),
    yarnMemoryStepMib: (of) => config.clusters.find(({ id }) => id === of)?.yarnMemoryStepMib ?? 0,
    record,
    known: deps.known,
    quarantine,
    maxQueuedBytes: config.queueBytes,
    clock: deps.clock,
    signal: stop.signal,
  });
  // All are built before the first one runs, so that a wrong one leaves nothing behind.
  const tasks = config.clusters.flatMap((cluster) => [
    { name: `cluster ${cluster.id}`, task: clusterTask(cluster, deps, record) },
    { name: `event logs ${cluster.id}`, task: eventLogTask(cluster, deps, record) },
  ]);
  const running = tasks.flatMap(({ name, task }) =>
    task === undefined ? [] : [keepRunning(name, aloneWith(name, task, deps), deps, stop.signal)],
  );
  const take: QueueHandler['take'] = (queued, signal) => ingest.take(queued, signal);
  const kafka =
    config.kafka === undefined
      ? undefined
      : startKafkaInput({
          ...deps,
          collector: 'containers',
          config: config.kafka,
          handler: { take },
        });
  return {
    take,
    ingest: (request) => ingest.ingest(request),
    replay: (records) => ingest.replay(records),
    async [Symbol.asyncDispose]() {
      await kafka?.[Symbol.asyncDispose]();
      stop.abort(new AppError('STORE_UNAVAILABLE', 'the collector of containers is stopping'));
      await Promise.all(running);
    },
  };
}

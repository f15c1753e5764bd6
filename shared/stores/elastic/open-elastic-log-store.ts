import { randomUUID } from 'node:crypto';
import type { Client } from '@elastic/elasticsearch';
import { AppError } from '../../errors/app-error.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { CheckpointStore } from '../checkpoint.ts';
import type { LeaseStore } from '../lease.ts';
import type { LogReader, LogWriter, RefusedLog } from '../log-store.ts';
import { checkElastic as checkServer } from './check-elastic.ts';
import type { ElasticConfig } from './config.ts';
import { type ForgetParts, type Forgotten, forgetProject } from './indices/forget-project.ts';
import { IndexPlanCache } from './indices/plan-cache.ts';
import type { IndexPlanConfig } from './indices/plan-config.ts';
import { IndexPlanHome } from './indices/plan-home.ts';
import { planIndex } from './indices/plan-names.ts';
import { type ReaderRole, readerRole } from './indices/plan-role.ts';
import { initIndexPlan, runIndexPlanner } from './indices/planner-loop.ts';
import { initElastic as initTemplate } from './init-elastic.ts';
import { openElasticClient } from './open-elastic-client.ts';
import { openElasticLogReader } from './open-elastic-log-reader.ts';
import { openElasticLogWriter } from './open-elastic-log-writer.ts';

/** Logs in Elasticsearch, by an index plan. */
export type ElasticLogsConfig = ElasticConfig & { readonly indexPlan: IndexPlanConfig };

interface Deps {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A client for as long as the work takes. */
async function withClient<T>(
  config: ElasticConfig,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = openElasticClient(config);
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

async function openPlaces(
  resources: AsyncDisposableStack,
  config: ElasticLogsConfig,
  { clock, logger }: Deps,
) {
  const client = openElasticClient(config);
  resources.defer(() => client.close());
  const home = new IndexPlanHome(client, planIndex(config.indexPrefix));
  const { refreshMs, maxAgeMs } = config.indexPlan;
  const places = resources.use(
    await IndexPlanCache.open({
      read: async () => (await home.read()).plan,
      prefix: config.indexPrefix,
      ...{ clock, refreshMs, maxAgeMs },
      onFailure: (error) => logger.warn({ err: error }, 'the index plan could not be read'),
    }),
  );
  return { client, places };
}

/**
 * The writer with its connection and its plan, which closing it closes.
 *
 * @throws AppError STORE_UNAVAILABLE or STORE_MISCONFIGURED when there is no plan to write by
 */
export async function openElasticLogs(
  config: ElasticLogsConfig,
  deps: Deps & {
    readonly random: () => number;
    /** Closed with the writer. */
    readonly checkpoints: CheckpointStore;
    readonly onRefused: (refused: readonly RefusedLog[]) => Promise<void>;
  },
): Promise<LogWriter> {
  await using resources = new AsyncDisposableStack();
  const { checkpoints, clock, random, onRefused } = deps;
  resources.use(checkpoints);
  const { client, places } = await openPlaces(resources, config, deps);
  const writer = resources.use(
    openElasticLogWriter({
      ...{ client, config, places, checkpoints, clock, random, onRefused },
      randomId: randomUUID,
    }),
  );
  const open = resources.move();
  return {
    write: (batch) => writer.write(batch),
    checkpoints: (prefix) => writer.checkpoints(prefix),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** The reader with its connection and its plan, which closing it closes. */
export async function openElasticLogSearch(
  config: ElasticLogsConfig,
  deps: Deps,
): Promise<LogReader> {
  await using resources = new AsyncDisposableStack();
  const { client, places } = await openPlaces(resources, config, deps);
  const reader = resources.use(openElasticLogReader({ client, config, places }));
  const open = resources.move();
  return {
    search: (project, query) => reader.search(project, query),
    fingerprints: (project, query) => reader.fingerprints(project, query),
    countByApplication: (project, query) => reader.countByApplication(project, query),
    volume: (project, from) => reader.volume(project, from),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** What `tollgate stores init` does with Elasticsearch: its template and the first plan. */
export async function initElasticLogs(
  config: ElasticLogsConfig,
  { clock }: Pick<Deps, 'clock'>,
): Promise<void> {
  await withClient(config, async (client) => {
    await initTemplate(client, config);
    const { indexPlan, indexPrefix: prefix } = config;
    await initIndexPlan({ client, prefix, config: indexPlan, clock });
  });
}

/** What `tollgate stores check` and the start-up do with Elasticsearch. */
export async function checkElasticLogs(config: ElasticLogsConfig): Promise<void> {
  await withClient(config, async (client) => {
    await checkServer(client, config);
    await new IndexPlanHome(client, planIndex(config.indexPrefix)).read();
  });
}

/** Takes all logs of a project away, as forgetProject tells. */
export async function forgetElasticLogs(
  config: ElasticLogsConfig,
  project: ProjectId,
  deps: Omit<ForgetParts, 'client' | 'prefix'>,
): Promise<Forgotten> {
  const { indexPrefix: prefix } = config;
  return await withClient(config, (client) => forgetProject({ ...deps, client, prefix }, project));
}

/**
 * The role for members of a project who read its logs in Kibana or Grafana.
 *
 * @throws AppError STORE_MISCONFIGURED when the project has no indices of its own
 */
export function elasticReaderRole(config: ElasticLogsConfig, project: ProjectId): ReaderRole {
  if (config.indexPlan.projects[project]?.direct === true) {
    return readerRole(config.indexPrefix, project);
  }
  throw new AppError(
    'STORE_MISCONFIGURED',
    `Project ${project} shares indices with others, and a role can't tell them apart; set ` +
      `stores.logs.indexPlan.projects.${project}.direct to true, so that it gets its own.`,
  );
}

/** Plans indices and drops old ones, in one process at a time, until the signal aborts. */
export async function keepElasticLogs(
  config: ElasticLogsConfig,
  deps: Deps & { readonly leases: LeaseStore; readonly holder: string },
  signal: AbortSignal,
): Promise<void> {
  const { clock, logger, leases, holder } = deps;
  await withClient(config, (client) =>
    runIndexPlanner(
      {
        ...{ client, clock, leases, holder, prefix: config.indexPrefix, config: config.indexPlan },
        onRun: (run) => logger.info({ run }, 'the index plan is up to date'),
        onFailure: (error) =>
          logger.warn({ err: error }, 'the index plan was not brought up to date'),
      },
      signal,
    ),
  );
}

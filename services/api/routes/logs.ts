import { z } from 'zod';
import { LOG_LEVELS } from '../../../shared/contracts/log-record.ts';
import { restFingerprints, type restLog, restLogs } from '../../../shared/contracts/rest.ts';
import type { LogQuery, StoredLog } from '../../../shared/stores/log-store.ts';
import { formatInstant } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import type { ApiDeps } from '../api-deps.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { checkWindow, limitParameter, timeParameter } from '../http/query-schema.ts';
import { mustBalance } from './projects.ts';

type Deps = Pick<ApiDeps, 'ledger' | 'logs' | 'clock'>;

function toRest(log: StoredLog): z.infer<typeof restLog> {
  return {
    key: log.key,
    at: formatInstant(log.at),
    project: log.project,
    cluster: log.cluster,
    application: log.application,
    container: log.container,
    level: log.level,
    logger: log.logger,
    thread: log.thread,
    message: log.message,
    fingerprint: log.fingerprint,
    marks: [...log.marks],
  };
}

const text = (maximum: number, description: string) =>
  z.string().max(maximum).optional().meta({ description });

function querySchema(deps: Deps, limit: z.ZodType<number>) {
  const now = () => deps.clock.now();
  return z.object({
    text: text(500, 'Words that must all occur; "a phrase"; prefix*'),
    level: z.enum(LOG_LEVELS).optional().meta({ description: 'This severity or more' }),
    application: text(200, 'Application id'),
    container: text(200, 'Container or executor id'),
    fingerprint: text(16, 'Repeats of one message'),
    from: timeParameter(now, '-1h'),
    until: timeParameter(now, 'now'),
    limit,
    cursor: text(1_000, 'From the page before'),
  });
}

function toLogQuery(query: z.infer<ReturnType<typeof querySchema>>): LogQuery {
  checkWindow(query);
  const { from, until, limit, level } = query;
  const { text: words, application, container, fingerprint, cursor } = query;
  return {
    from,
    until,
    limit,
    ...(level === undefined ? {} : { minLevel: level }),
    ...(words === undefined || words.trim() === '' ? {} : { text: words }),
    ...(application === undefined ? {} : { application }),
    ...(container === undefined ? {} : { container }),
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(cursor === undefined ? {} : { cursor }),
  };
}

/** A project that only ever logged isn't in the ledger, and is there all the same. */
async function mustKnow(deps: Deps, project: ProjectId): Promise<void> {
  const { records } = await deps.logs.volume(project, 0);
  if (records === 0) await mustBalance(deps, project);
}

export function logEndpoints(deps: Deps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/v1/projects/{project}/logs',
      scope: 'read',
      summary: 'Searches log lines, newest first',
      query: querySchema(deps, limitParameter(100, 1_000)),
      answer: restLogs,
      async handle({ project, query }) {
        const page = await deps.logs.search(project, toLogQuery(query));
        if (page.records.length === 0) await mustKnow(deps, project);
        return { logs: page.records.map(toRest), cursor: page.cursor ?? null };
      },
    }),
    endpoint({
      method: 'get',
      path: '/v1/projects/{project}/log-fingerprints',
      scope: 'read',
      summary: 'Groups repeats of log lines, most frequent first',
      query: querySchema(deps, limitParameter(20, 100)),
      answer: restFingerprints,
      async handle({ project, query }) {
        const groups = await deps.logs.fingerprints(project, toLogQuery(query));
        if (groups.length === 0) await mustKnow(deps, project);
        return {
          fingerprints: groups.map(({ fingerprint, count, example }) => ({
            fingerprint,
            count,
            example: toRest(example),
          })),
        };
      },
    }),
  ];
}

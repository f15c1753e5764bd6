import { z } from 'zod';
import { restQuarantine, restReplay } from '../../../shared/contracts/rest.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import type {
  QuarantineCount,
  QuarantinedRecord,
  QuarantineFilter,
} from '../../../shared/stores/quarantine.ts';
import { formatInstant } from '../../../shared/values/instant.ts';
import type { ApiDeps } from '../api-deps.ts';
import { type Caller, demandAllProjects, demandScope } from '../http/caller.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { limitParameter } from '../http/query-schema.ts';

type Deps = Pick<ApiDeps, 'quarantine' | 'replay'>;

const REPLAY_MAX = 1_000;
const name = z.string().max(100).optional();
const filter = { collector: name, reason: name, project: name };

function given(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const entries = Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, value] as const],
  );
  return Object.fromEntries(entries);
}

/**
 * What the caller may see of the quarantine. Refused lines aren't masked, so that the whole of it is
 * for administrators; who has a token of some projects sees theirs.
 */
async function waiting(deps: Deps, caller: Caller, filter: QuarantineFilter) {
  const { projects } = caller;
  if (projects === undefined) {
    demandScope(caller, 'admin');
    const [counts, records] = [await deps.quarantine.count(), await deps.quarantine.list(filter)];
    return { counts, records };
  }
  const counts = new Map<string, QuarantineCount>();
  const records: QuarantinedRecord[] = [];
  for (const project of projects) {
    for (const one of await deps.quarantine.count({ project })) {
      const key = `${one.collector} ${one.reason}`;
      const before = counts.get(key)?.records ?? 0;
      counts.set(key, { ...one, records: before + one.records });
    }
    if (filter.project !== undefined && filter.project !== project) continue;
    records.push(...(await deps.quarantine.list({ ...filter, project })));
  }
  records.sort((a, b) => b.observedAt - a.observedAt);
  return { counts: [...counts.values()], records: records.slice(0, filter.limit) };
}

export function quarantineEndpoints(deps: Deps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/v1/quarantine',
      scope: 'read',
      summary: 'Refused records, and how many of each reason',
      query: z.object({ ...filter, limit: limitParameter(100, 1_000) }),
      answer: restQuarantine,
      async handle({ query, caller }) {
        const { limit, ...values } = query;
        const { counts, records } = await waiting(deps, caller, { ...given(values), limit });
        return {
          counts,
          records: records.map((record) => ({
            ...record,
            observedAt: formatInstant(record.observedAt),
          })),
        };
      },
    }),
    endpoint({
      method: 'post',
      path: '/v1/quarantine/replay',
      scope: 'admin',
      summary: 'Sends refused records through their collectors again',
      body: z.object({ ...filter, limit: z.number().int().min(1).max(REPLAY_MAX).default(100) }),
      answer: restReplay,
      async handle({ body, caller }) {
        // A record names its project itself, so that a replay could write to any.
        demandAllProjects(caller);
        if (deps.replay === undefined) {
          throw new AppError(
            'NOT_FOUND',
            'no collector runs in this process; ask one that collects',
          );
        }
        const { limit, ...values } = body;
        const records = await deps.quarantine.list({ ...given(values), limit });
        if (records.length === 0) return { replayed: 0, stored: 0 };
        const { stored } = await deps.replay(records);
        return { replayed: records.length, stored };
      },
    }),
  ];
}

import { z } from 'zod';
import { restQuarantine, restReplay } from '../../../shared/contracts/rest.ts';
import { formatInstant } from '../../../shared/values/instant.ts';
import type { ApiDeps } from '../api-deps.ts';
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

export function quarantineEndpoints(deps: Deps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/v1/quarantine',
      summary: 'Refused records, and how many of each reason',
      query: z.object({ ...filter, limit: limitParameter(100, 1_000) }),
      answer: restQuarantine,
      async handle({ query }) {
        const { limit, ...values } = query;
        const records = await deps.quarantine.list({ ...given(values), limit });
        return {
          counts: await deps.quarantine.count(),
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
      summary: 'Sends refused records through their collectors again',
      body: z.object({ ...filter, limit: z.number().int().min(1).max(REPLAY_MAX).default(100) }),
      answer: restReplay,
      async handle({ body }) {
        const { limit, ...values } = body;
        const records = await deps.quarantine.list({ ...given(values), limit });
        if (records.length === 0) return { replayed: 0, stored: 0 };
        const { stored } = await deps.replay(records);
        return { replayed: records.length, stored };
      },
    }),
  ];
}

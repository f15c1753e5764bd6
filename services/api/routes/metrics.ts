import { z } from 'zod';
import { restMetrics } from '../../../shared/contracts/rest.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import type { ApiDeps } from '../api-deps.ts';
import { badRequest } from '../http/bad-request.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { checkWindow, limitParameter, timeParameter } from '../http/query-schema.ts';
import { mustBalance } from './projects.ts';

/** `application=x,executor=1`: exact values of tags. */
const tagsParameter = z
  .string()
  .max(1_000)
  .default('')
  .transform((text, context) => {
    const tags: Record<string, string> = Object.create(null);
    for (const pair of text.split(',').filter((part) => part !== '')) {
      const at = pair.indexOf('=');
      if (at > 0) tags[pair.slice(0, at)] = pair.slice(at + 1);
      else context.addIssue({ code: 'custom', message: `"${pair}" is not name=value` });
    }
    return { ...tags };
  })
  .meta({ description: 'Exact values of tags, such as application=app-1,executor=2' });

const WINDOWS_MAX = 20_000;

/** One answer is for one chart. @throws AppError BAD_REQUEST */
function checkWindows(query: { from: Instant; until: Instant; step: number }): void {
  if (query.step === 0 || (query.until - query.from) / query.step <= WINDOWS_MAX) return;
  const message = `gives more than ${WINDOWS_MAX} windows; take a longer step`;
  throw badRequest([{ path: 'query.step', message }]);
}

export function metricEndpoints(
  deps: Pick<ApiDeps, 'ledger' | 'metricStore' | 'clock'>,
): Endpoint[] {
  const now = () => deps.clock.now();
  return [
    endpoint({
      method: 'get',
      path: '/v1/projects/{project}/metrics',
      scope: 'read',
      summary: 'Time series of a metric',
      query: z.object({
        measurement: z.string().min(1).max(200),
        field: z.string().min(1).max(500),
        tags: tagsParameter,
        from: timeParameter(now, '-1h'),
        until: timeParameter(now, 'now'),
        step: z.coerce
          .number()
          .int()
          .min(0)
          .max(86_400_000)
          .default(60_000)
          .meta({ description: 'Window of the aggregate in ms; 0 gives raw points' }),
        aggregate: z.enum(['last', 'mean', 'min', 'max', 'sum', 'count']).default('mean'),
        limit: limitParameter(100, 1_000),
      }),
      answer: restMetrics,
      async handle({ project, query }) {
        const { step, ...rest } = query;
        checkWindow(query);
        checkWindows(query);
        const series = await deps.metricStore.query(project, { ...rest, stepMs: step });
        if (series.length === 0) await mustBalance(deps, project);
        return {
          series: series.map(({ tags, points }) => ({
            tags: { ...tags },
            points: points.map(([at, value]): [number, number] => [at, value]),
          })),
        };
      },
    }),
  ];
}

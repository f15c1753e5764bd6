import { z } from 'zod';
import { restReplayLine, restReplayTariff } from '../../../shared/contracts/rest-replay.ts';
import { DAY_MS, utcHour } from '../../../shared/values/instant.ts';
import { parseProjectId } from '../../../shared/values/project-id.ts';
import type { ApiDeps } from '../api-deps.ts';
import { badRequest } from '../http/bad-request.ts';
import { demandAllProjects } from '../http/caller.ts';
import { type Endpoint, linesEndpoint } from '../http/endpoint.ts';
import { timeParameter } from '../http/query-schema.ts';
import { mustBalance } from './projects.ts';

/** A replay holds sums by project and hour. */
const WINDOW_MAX_MS = 100 * DAY_MS;

export function replayEndpoints(
  deps: Pick<ApiDeps, 'tariffReplays' | 'ledger' | 'clock'>,
): Endpoint[] {
  const now = () => deps.clock.now();
  return [
    linesEndpoint({
      method: 'post',
      path: '/v1/replays',
      scope: 'admin',
      summary: 'Charges a past window again under another tariff, on paper: progress, then result',
      body: z.object({
        from: timeParameter(now, '-30d'),
        until: timeParameter(now, 'now'),
        project: z.string().max(63).optional().meta({ description: 'Only this project' }),
        tariff: restReplayTariff,
      }),
      answer: restReplayLine,
      async handle({ body, caller }) {
        demandAllProjects(caller);
        const window = { start: utcHour(body.from), end: utcHour(Math.min(body.until, now())) };
        if (window.start >= window.end) {
          const message = 'must be before until, and an hour at least must have passed since';
          throw badRequest([{ path: 'body.from', message }]);
        }
        if (window.end - window.start > WINDOW_MAX_MS) {
          const message = 'is more than 100 days before until; replay a part';
          throw badRequest([{ path: 'body.from', message }]);
        }
        const project = body.project === undefined ? undefined : parseProjectId(body.project);
        if (body.project !== undefined && project === undefined) {
          throw badRequest([{ path: 'body.project', message: 'is no project id' }]);
        }
        if (project !== undefined) await mustBalance(deps, project);
        return deps.tariffReplays({ ...window, project, tariff: body.tariff });
      },
    }),
  ];
}

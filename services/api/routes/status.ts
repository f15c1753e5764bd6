import { restStatus } from '../../../shared/contracts/rest.ts';
import { formatInstant } from '../../../shared/values/instant.ts';
import type { ApiDeps } from '../api-deps.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';

export function statusEndpoints(
  deps: Pick<ApiDeps, 'clock' | 'startedAt' | 'mode' | 'version'>,
): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/v1/status',
      scope: 'read',
      summary: 'Version, mode and the time that Tollgate goes by',
      answer: restStatus,
      handle: async () => ({
        version: deps.version,
        mode: deps.mode,
        now: formatInstant(deps.clock.now()),
        startedAt: formatInstant(deps.startedAt),
      }),
    }),
  ];
}

import { writeFileSync } from 'node:fs';
import type { Clock } from '../../../shared/runtime/clock.ts';
import type { ApiDeps } from '../api-deps.ts';
import { allEndpoints } from './all-endpoints.ts';
import { openapiOf } from './openapi.ts';

/** The API's own version, which stands in its addresses; Tollgate's stands in `/v1/status`. */
const API_VERSION = 'v1';

/** The description as it is committed. No handler runs, so that nothing has to be there for one. */
export function committedOpenapi(): object {
  const clock: Pick<Clock, 'now'> = { now: () => 0 };
  const enforcement = { policies: [] };
  const nothing = { pools: [], clusters: [], clock, enforcement };
  return openapiOf(allEndpoints(nothing as unknown as ApiDeps), API_VERSION);
}

if (import.meta.main) {
  const file = new URL('../openapi.json', import.meta.url);
  writeFileSync(file, `${JSON.stringify(committedOpenapi(), null, 2)}\n`);
}

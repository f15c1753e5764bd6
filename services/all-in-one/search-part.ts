import { openLogStoreReader, openMetricStoreReader } from '../../shared/stores/open-stores.ts';
import type { Part, PartDeps } from './part.ts';

type Search = Parameters<Awaited<ReturnType<typeof openLogStoreReader>>['search']>;
type Fingerprints = Parameters<Awaited<ReturnType<typeof openLogStoreReader>>['fingerprints']>;
type Counts = Parameters<Awaited<ReturnType<typeof openLogStoreReader>>['countByApplication']>;
type Volume = Parameters<Awaited<ReturnType<typeof openLogStoreReader>>['volume']>;
type Query = Parameters<Awaited<ReturnType<typeof openMetricStoreReader>>['query']>;
type Latest = Parameters<Awaited<ReturnType<typeof openMetricStoreReader>>['latest']>;

/** Reads of logs and metrics, away from the thread that answers quota checks. */
export async function openSearchPart(deps: PartDeps<object>): Promise<Part> {
  await using resources = new AsyncDisposableStack();
  const logs = resources.use(await openLogStoreReader(deps.setup, deps));
  const metrics = resources.use(await openMetricStoreReader(deps.setup, deps));
  const open = resources.move();
  return {
    handlers: {
      search: (...args: Search) => logs.search(...args),
      fingerprints: (...args: Fingerprints) => logs.fingerprints(...args),
      'count-by-application': (...args: Counts) => logs.countByApplication(...args),
      volume: (...args: Volume) => logs.volume(...args),
      query: (...args: Query) => metrics.query(...args),
      latest: (...args: Latest) => metrics.latest(...args),
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

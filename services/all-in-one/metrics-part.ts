import { openMetricStoreWriter, openProjectLookup } from '../../shared/stores/open-stores.ts';
import { startMetrics } from '../collectors/metrics/start.ts';
import { startProgress } from '../collectors/progress/start.ts';
import type { TollgateConfig } from './config.ts';
import { openFileLeases } from './open-file-leases.ts';
import { openPartQuarantine } from './open-part-quarantine.ts';
import type { Part, PartDeps } from './part.ts';

/** Graphite and progress: both write metric points, so both live beside the one writer of them. */
export async function openMetricsPart(
  deps: PartDeps<Pick<TollgateConfig, 'metrics' | 'progress'>>,
): Promise<Part> {
  const { config, setup, clock } = deps;
  await using resources = new AsyncDisposableStack();
  const quarantine = resources.use(await openPartQuarantine(deps));
  const lookup = resources.use(await openProjectLookup(setup, { clock }));
  const writer = resources.use(
    await openMetricStoreWriter(setup, { ...deps, quarantine, limits: config.metrics.store }),
  );
  const projectOf = (cluster: string, application: string) =>
    lookup.projectOf(cluster, application);
  const common = { ...deps, writer, quarantine, projectOf };
  const metrics = resources.use(await startMetrics({ ...common, config: config.metrics }));
  const leases = await openFileLeases(config.progress.files, 'metrics', deps, resources);
  const progress = resources.use(
    await startProgress({ ...common, config: config.progress, ...(leases && { leases }) }),
  );
  const open = resources.move();
  return {
    handlers: {
      'ingest-metrics': (request: never) => metrics.ingest(request),
      'ingest-progress': (request: never) => progress.ingest(request),
      'replay-metrics': (records: never) => metrics.replay(records),
      'replay-progress': (records: never) => progress.replay(records),
      'graphite-addresses': async () => metrics.tcpAddresses,
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

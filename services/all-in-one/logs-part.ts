import { openLogStoreWriter, openProjectLookup } from '../../shared/stores/open-stores.ts';
import { startLogs } from '../collectors/logs/start.ts';
import type { TollgateConfig } from './config.ts';
import { openFileLeases } from './open-file-leases.ts';
import { openPartQuarantine } from './open-part-quarantine.ts';
import type { Part, PartDeps } from './part.ts';

/** Log files, TCP and pushed logs, beside the one writer of the log store. */
export async function openLogsPart(deps: PartDeps<Pick<TollgateConfig, 'logs'>>): Promise<Part> {
  const { config, setup, clock } = deps;
  await using resources = new AsyncDisposableStack();
  const quarantine = resources.use(await openPartQuarantine(deps));
  const lookup = resources.use(await openProjectLookup(setup, { clock }));
  const writer = resources.use(
    await openLogStoreWriter(setup, { ...deps, quarantine, limits: config.logs.store }),
  );
  const leases = await openFileLeases(config.logs.files, 'logs', deps, resources);
  const logs = resources.use(
    await startLogs({
      ...deps,
      config: config.logs,
      writer,
      quarantine,
      projectOf: (cluster, application) => lookup.projectOf(cluster, application),
      ...(leases && { leases }),
      spoolFolder: `${setup.dataFolder}/spool`,
    }),
  );
  const open = resources.move();
  return {
    handlers: {
      'ingest-logs': (request: never) => logs.ingest(request),
      'replay-logs': (records: never) => logs.replay(records),
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

import { openLedgerStores } from '../../shared/stores/open-stores.ts';
import { startContainers } from '../collectors/containers/start.ts';
import { startMetering } from '../metering/start.ts';
import type { TollgateConfig } from './config.ts';
import { openThreadQuarantine } from './open-thread-quarantine.ts';
import { runThread } from './run-thread.ts';

/** The writer of the journal and the ledger: containers come in, charges go out. */
runThread<Pick<TollgateConfig, 'metering' | 'containers'>>('ledger', async (deps) => {
  const { config } = deps;
  const folder = { path: deps.dataFolder };
  await using resources = new AsyncDisposableStack();
  const quarantine = resources.use(await openThreadQuarantine(deps));
  const ledger = resources.use(await openLedgerStores(folder));
  resources.use(
    await startMetering({
      ...deps,
      config: config.metering,
      stores: {
        journal: ledger.journalReader,
        ledger: ledger.ledgerWriter,
        prices: ledger.priceWriter,
        grants: ledger.grants,
      },
    }),
  );
  const containers = resources.use(
    await startContainers({
      ...deps,
      config: config.containers,
      journal: ledger.journalWriter,
      quarantine,
    }),
  );
  const open = resources.move();
  return {
    handlers: {
      'ingest-containers': (request: never) => containers.ingest(request),
      'replay-containers': (records: never) => containers.replay(records),
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
});

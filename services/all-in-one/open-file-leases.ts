import { hostname } from 'node:os';
import { isEmbedded } from '../../shared/stores/config.ts';
import { openLeaseStore } from '../../shared/stores/open-stores.ts';
import type { LogsDeps } from '../collectors/logs/start.ts';
import type { PartDeps } from './part.ts';

/**
 * Leases of a collector's shared files; undefined where it has none, or where no other process can
 * use its stores.
 *
 * @param store where its records go
 */
export async function openFileLeases(
  sources: readonly { readonly shared: boolean }[],
  store: 'logs' | 'metrics',
  { setup, clock, random }: Pick<PartDeps<unknown>, 'setup' | 'clock' | 'random'>,
  resources: AsyncDisposableStack,
): Promise<LogsDeps['leases']> {
  const { stores } = setup;
  const isAlone = isEmbedded(stores.ledger) || isEmbedded(stores[store]);
  if (isAlone || !sources.some(({ shared }) => shared)) return undefined;
  const holder = `${hostname()}/${process.pid}/${store}/${random().toString(36).slice(2)}`;
  return { store: resources.use(await openLeaseStore(setup, { clock })), holder };
}

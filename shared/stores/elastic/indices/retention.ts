import type { Client } from '@elastic/elasticsearch';
import type { Instant } from '../../../values/instant.ts';
import { type IndexPlanConfig, keptSince } from './plan-config.ts';
import { planFault, statusOf } from './plan-fault.ts';
import { type PresentIndex, presentIndices } from './plan-indices.ts';
import type { NamedIndex } from './plan-names.ts';

export interface Dropped {
  readonly indices: number;
  readonly records: number;
}

/** The indices whose whole day or month is older than what is kept of their owner. */
export function overdue<T extends NamedIndex>(
  indices: readonly T[],
  config: Pick<IndexPlanConfig, 'keptDays' | 'projects'>,
  now: Instant,
): T[] {
  return indices.filter((index) => index.end <= keptSince(config, index.project, now));
}

/**
 * Drops what is over. Running it twice, or in two places, drops nothing more.
 *
 * @param goOn asked before each index; false ends it, such as when the lease is lost
 */
export async function dropOverdue(
  client: Client,
  prefix: string,
  config: Pick<IndexPlanConfig, 'keptDays' | 'projects'>,
  run: { readonly now: Instant; readonly goOn: () => Promise<boolean> },
): Promise<Dropped> {
  const dropped = { indices: 0, records: 0 };
  for (const index of overdue(await presentIndices(client, prefix), config, run.now)) {
    if (!(await run.goOn())) break;
    if (!(await dropIndex(client, index))) continue;
    dropped.indices += 1;
    dropped.records += index.records;
  }
  return dropped;
}

/** Whether it was there. */
export async function dropIndex(client: Client, index: PresentIndex): Promise<boolean> {
  try {
    await client.indices.delete({ index: index.name });
    return true;
  } catch (error) {
    if (statusOf(error) === 404) return false;
    throw planFault(error, `drop the index ${index.name}`);
  }
}

import type { Client } from '@elastic/elasticsearch';
import { planFault } from './plan-fault.ts';
import { type NamedIndex, parseIndexName } from './plan-names.ts';

/** An index that is there, and its size. */
export interface PresentIndex extends NamedIndex {
  readonly records: number;
  /** On disk, without replicas. */
  readonly bytes: number;
}

/** The plan's indices that are there; every other index is passed by, whatever its prefix. */
export async function presentIndices(client: Client, prefix: string): Promise<PresentIndex[]> {
  try {
    const rows = await client.cat.indices({
      index: `${prefix}-*`,
      format: 'json',
      bytes: 'b',
      h: ['index', 'docs.count', 'pri.store.size'],
    });
    return rows.flatMap((row) => {
      const named = parseIndexName(prefix, row.index ?? '');
      if (named === undefined) return [];
      const records = Number(row['docs.count'] ?? 0);
      return [{ ...named, records, bytes: Number(row['pri.store.size'] ?? 0) }];
    });
  } catch (error) {
    throw planFault(error, `list the indices ${prefix}-*`);
  }
}

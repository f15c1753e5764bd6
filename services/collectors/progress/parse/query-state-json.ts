import type { Offset } from '../../../../shared/contracts/progress-record.ts';
import { isObject } from './json-field.ts';
import { type PartitionSample, partitionKey, type QueryState } from './query-state.ts';

/** Changes with the shape; a state of another version is forgotten, and its window fills anew. */
const VERSION = 1;

type Row = readonly [topic: number, partition: string, end: number | string, lag: number | null];

/** A query's state as text for its checkpoint. Topics stand once; long offsets are text. */
export function printQueryState({ window, ...rest }: QueryState): string {
  const topics = new Map<string, number>();
  const batches = window.map(({ partitions, ...batch }) => {
    const rows: Row[] = [];
    for (const { topic, partition, end, lag } of partitions.values()) {
      const index = topics.get(topic) ?? topics.size;
      topics.set(topic, index);
      rows.push([index, partition, typeof end === 'bigint' ? String(end) : end, lag]);
    }
    return { ...batch, rows };
  });
  return JSON.stringify({ version: VERSION, ...rest, topics: [...topics.keys()], batches });
}

type Printed = Omit<QueryState, 'window'> & {
  readonly version: number;
  readonly topics: readonly string[];
  readonly batches: readonly (Omit<QueryState['window'][number], 'partitions'> & {
    readonly rows: readonly Row[];
  })[];
};

/** The state again; undefined for text of another version. The text is this program's own. */
export function parseQueryState(text: string): QueryState | undefined {
  const json: unknown = JSON.parse(text);
  if (!isObject(json) || json['version'] !== VERSION) return undefined;
  const { topics, batches, project, cluster, query, runs } = json as unknown as Printed;
  return {
    project,
    cluster,
    query,
    // A name that isn't known yet is left out of the text.
    runs: runs.map((run) => ({ ...run, name: run.name })),
    window: batches.map(({ rows, ...batch }) => ({
      ...batch,
      partitions: new Map(
        rows.map(([index, partition, raw, lag]): [string, PartitionSample] => {
          const topic = topics[index] ?? '';
          const end: Offset = typeof raw === 'string' ? BigInt(raw) : raw;
          return [partitionKey(topic, partition), { topic, partition, end, lag }];
        }),
      ),
    })),
  };
}

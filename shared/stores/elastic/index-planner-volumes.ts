import type { Client } from '@elastic/elasticsearch';
import { DAY_MS, type Instant } from '../../values/instant.ts';
import { isProjectId, type ProjectId } from '../../values/project-id.ts';
import { planFault } from './index-plan-fault.ts';
import type { PresentIndex } from './index-plan-indices.ts';

/** A week holds each day's habits once. */
const WINDOW_DAYS = 7;
const PAGE = 1_000;

/** What one project has in an index, within the window. */
export interface MeasuredPart {
  readonly project: ProjectId;
  readonly index: string;
  readonly bytes: number;
  readonly first: Instant;
}

/** Stored bytes of each project in the last seven days, by index. */
export async function measureParts(
  client: Client,
  indices: readonly PresentIndex[],
  now: Instant,
): Promise<MeasuredPart[]> {
  const from = now - WINDOW_DAYS * DAY_MS;
  const parts: MeasuredPart[] = [];
  for (const index of indices) {
    if (index.records === 0 || index.end <= from || index.start > now) continue;
    // A record's share of its index: records of one pool are taken for equally large.
    const bytesEach = index.bytes / index.records;
    for await (const { project, records, first } of countProjects(client, index.name, from, now)) {
      parts.push({ project, index: index.name, bytes: records * bytesEach, first });
    }
  }
  return parts;
}

/** Bytes a day, over the days since a project's first record in the window, and at least one. */
export function volumesOf(parts: readonly MeasuredPart[], now: Instant): Map<ProjectId, number> {
  const volumes = new Map<ProjectId, number>();
  for (const [project, own] of Map.groupBy(parts, (part) => part.project)) {
    const first = Math.min(...own.map((part) => part.first));
    const days = Math.min(WINDOW_DAYS, Math.max(1, (now - first) / DAY_MS));
    const bytes = own.reduce((sum, part) => sum + part.bytes, 0);
    volumes.set(project, bytes / days);
  }
  return volumes;
}

interface ProjectCount {
  readonly project: ProjectId;
  readonly records: number;
  readonly first: Instant;
}

interface CountPage {
  readonly after_key?: Record<string, string>;
  readonly buckets: readonly {
    readonly key: { readonly project: unknown };
    readonly doc_count: number;
    readonly first: { readonly value: number | null };
  }[];
}

async function* countProjects(
  client: Client,
  index: string,
  from: Instant,
  until: Instant,
): AsyncGenerator<ProjectCount> {
  let after: Record<string, string> | undefined;
  do {
    const answer = await client
      .search<unknown, { projects: CountPage }>({
        index,
        size: 0,
        track_total_hits: false,
        ignore_unavailable: true,
        query: { range: { '@timestamp': { gte: from, lt: until, format: 'epoch_millis' } } },
        aggs: {
          projects: {
            composite: {
              size: PAGE,
              sources: [{ project: { terms: { field: 'project' } } }],
              ...(after === undefined ? {} : { after }),
            },
            aggs: { first: { min: { field: '@timestamp' } } },
          },
        },
      })
      .catch((error: unknown) => {
        throw planFault(error, `count the records of ${index}`);
      });
    const page = answer.aggregations?.projects;
    for (const { key, doc_count, first } of page?.buckets ?? []) {
      if (!isProjectId(key.project)) continue;
      yield { project: key.project, records: doc_count, first: first.value ?? from };
    }
    after = page?.after_key;
  } while (after !== undefined);
}

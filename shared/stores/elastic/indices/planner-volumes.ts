import type { Client } from '@elastic/elasticsearch';
import { DAY_MS, type Instant } from '../../../values/instant.ts';
import { isProjectId, type ProjectId } from '../../../values/project-id.ts';
import { planFault } from './plan-fault.ts';
import type { PresentIndex } from './plan-indices.ts';

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
    let all = 0;
    const found: ProjectText[] = [];
    for await (const text of sumProjects(client, index.name, { from, until: now })) {
      all += text.allBytes;
      found.push(text);
    }
    // On disk a project takes the share that its text has, whole, of the text of its index.
    const stored = all === 0 ? 0 : index.bytes / all;
    for (const { project, bytes, first } of found) {
      if (bytes > 0) parts.push({ project, index: index.name, bytes: bytes * stored, first });
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

interface ProjectText {
  readonly project: ProjectId;
  /** Of all its records here. */
  readonly allBytes: number;
  /** Of those within the window. */
  readonly bytes: number;
  readonly first: Instant;
}

interface SumPage {
  readonly after_key?: Record<string, string>;
  readonly buckets: readonly {
    readonly key: { readonly project: unknown };
    readonly all: { readonly value: number };
    readonly recent: {
      readonly bytes: { readonly value: number };
      readonly first: { readonly value: number | null };
    };
  }[];
}

/** Bytes of text in an index, by project. */
async function* sumProjects(
  client: Client,
  index: string,
  window: { readonly from: Instant; readonly until: Instant },
): AsyncGenerator<ProjectText> {
  const { from, until } = window;
  const bytes = { sum: { field: 'bytes' } };
  let after: Record<string, string> | undefined;
  do {
    const answer = await client
      .search<unknown, { projects: SumPage }>({
        index,
        size: 0,
        track_total_hits: false,
        ignore_unavailable: true,
        aggs: {
          projects: {
            composite: {
              size: PAGE,
              sources: [{ project: { terms: { field: 'project' } } }],
              ...(after === undefined ? {} : { after }),
            },
            aggs: {
              all: bytes,
              recent: {
                filter: { range: { at: { gte: from, lt: until } } },
                aggs: { bytes, first: { min: { field: 'at' } } },
              },
            },
          },
        },
      })
      .catch((error: unknown) => {
        throw planFault(error, `sum up the records of ${index}`);
      });
    const page = answer.aggregations?.projects;
    for (const { key, all, recent } of page?.buckets ?? []) {
      if (!isProjectId(key.project)) continue;
      const { bytes: sum, first } = recent;
      yield {
        project: key.project,
        allBytes: all.value,
        bytes: sum.value,
        first: first.value ?? from,
      };
    }
    after = page?.after_key;
  } while (after !== undefined);
}

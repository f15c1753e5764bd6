import type { z } from 'zod';
import { QUERY_STATES } from '../../../shared/contracts/progress-record.ts';
import { restStreamingQueries, VERDICTS, type Verdict } from '../../../shared/contracts/rest.ts';
import type { MetricReader } from '../../../shared/stores/metric-store.ts';
import { DAY_MS, formatInstant, HOUR_MS } from '../../../shared/values/instant.ts';
import type { ApiDeps } from '../api-deps.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { mustBalance } from './projects.ts';

type Deps = Pick<ApiDeps, 'ledger' | 'metricStore' | 'clock'>;
type Query = z.infer<typeof restStreamingQueries>['queries'][number];
type Latest = Awaited<ReturnType<MetricReader['latest']>>[number];

/** A query that has said nothing for longer is history. */
const SHOWN_MS = DAY_MS;
/** One that has ended is shown for a shorter time: there is nothing to do about it. */
const SHOWN_ENDED_MS = HOUR_MS;
const PARTITIONS_MAX = 200;

function verdictOf(fields: Latest['fields']): Verdict {
  return VERDICTS[fields['verdict'] ?? 0] ?? 'ok';
}

const field = (fields: Latest['fields'], name: string): number | null => fields[name] ?? null;

function toRest(latest: Latest, partitions: readonly Latest[]): Query {
  const { tags, fields } = latest;
  return {
    id: tags['query'] ?? '',
    runId: tags['run'] ?? '',
    name: tags['name'] ?? '',
    project: tags['project'] ?? '',
    cluster: tags['cluster'] ?? '',
    application: tags['application'] ?? '',
    state: QUERY_STATES[fields['state'] ?? 0] ?? 'running',
    verdict: verdictOf(fields),
    lastBatchAt: formatInstant(fields['last_batch_ms'] ?? latest.at),
    batchId: fields['batch_id'] ?? -1,
    inputRowsPerSecond: field(fields, 'input_rows_per_second'),
    processedRowsPerSecond: field(fields, 'processed_rows_per_second'),
    stateRows: field(fields, 'state_rows'),
    watermarkDelayMs: field(fields, 'watermark_delay_ms'),
    lag: field(fields, 'lag'),
    partitions: partitions.slice(0, PARTITIONS_MAX).map((partition) => ({
      topic: partition.tags['topic'] ?? '',
      partition: partition.tags['partition'] ?? '',
      lag: field(partition.fields, 'lag'),
      verdict: verdictOf(partition.fields),
    })),
  };
}

/** One entry a query: its latest run, since an id survives restarts. */
function latestRuns(entries: readonly Latest[]): Latest[] {
  const byQuery = new Map<string, Latest>();
  for (const entry of entries) {
    const key = `${entry.tags['cluster']}\n${entry.tags['query']}`;
    const other = byQuery.get(key);
    if (other === undefined || other.at < entry.at) byQuery.set(key, entry);
  }
  return [...byQuery.values()];
}

export function streamingQueryEndpoints(deps: Deps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/v1/projects/{project}/streaming-queries',
      scope: 'read',
      summary: 'Streaming queries of the last day with lag and verdict',
      answer: restStreamingQueries,
      async handle({ project }) {
        const from = deps.clock.now() - SHOWN_MS;
        const [entries, partitions] = await Promise.all([
          deps.metricStore.latest(project, 'streaming_query', from),
          deps.metricStore.latest(project, 'streaming_partition', from),
        ]);
        if (entries.length === 0) await mustBalance(deps, project);
        const byRun = Map.groupBy(partitions, ({ tags }) => tags['run'] ?? '');
        const shown = latestRuns(entries).filter(
          ({ at, fields }) =>
            QUERY_STATES[fields['state'] ?? 0] !== 'terminated' ||
            (fields['last_batch_ms'] ?? at) >= deps.clock.now() - SHOWN_ENDED_MS,
        );
        const queries = shown.map((entry) =>
          toRest(entry, byRun.get(entry.tags['run'] ?? '') ?? []),
        );
        return { queries };
      },
    }),
  ];
}

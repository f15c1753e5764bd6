import type { RestIngest } from '../../../shared/contracts/rest.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import { type ProjectId, UNATTRIBUTED } from '../../../shared/values/project-id.ts';
import { decodeText } from '../core/decode-text.ts';
import { type Fate, FOREIGN_PROJECT } from '../core/fate.ts';
import type { IngestRequest } from '../core/ingest.ts';
import { type MetricRecord, parseMetricJson, seriesOfRecord } from './parse/metric-json.ts';
import type { PointBatch } from './point-batch.ts';
import type { ProjectOf } from './resolve-name.ts';
import type { SeriesEntry, SeriesTable } from './series-table.ts';

export interface PushedRules {
  readonly batch: PointBatch;
  readonly table: SeriesTable;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  readonly projectOf: ProjectOf;
  /** Name of the source in the quarantine. */
  readonly source: string;
}

interface Owner {
  readonly project: ProjectId;
  readonly cluster: string;
  readonly provisional: boolean;
}

function ownerOf(record: MetricRecord, request: IngestRequest, projectOf: ProjectOf): Owner {
  const cluster = record.cluster ?? request.cluster;
  const named = record.project ?? request.project;
  if (named !== undefined) return { project: named, cluster, provisional: false };
  const application = record.tags['application'];
  const project = application === undefined ? undefined : projectOf(cluster, application);
  return {
    project: project ?? UNATTRIBUTED,
    cluster,
    provisional: application !== undefined && project === undefined,
  };
}

function entryOf(record: MetricRecord, owner: Owner, table: SeriesTable): SeriesEntry {
  const { provisional, project, cluster } = owner;
  const series = seriesOfRecord(record, { project, cluster });
  // A name of Graphite holds no blank, so that the two never meet in the table.
  const tags = Object.entries(series.tags).sort(([a], [b]) => (a < b ? -1 : 1));
  const name = ` ${JSON.stringify([series.measurement, series.field, tags])}`;
  return table.get(name) ?? table.add(name, { series, provisional });
}

/** Puts the records of a pushed body into a batch. Blank lines are no records. */
export function readPushed(request: IngestRequest, rules: PushedRules): RestIngest {
  const { batch, table } = rules;
  const answer = { stored: 0, duplicates: 0, dropped: 0, quarantined: 0 };
  const verdicts: RestIngest['verdicts'] = [];
  const refuse = (line: number, fate: Exclude<Fate<never>, { fate: 'kept' }>): void => {
    answer[fate.fate] += 1;
    verdicts.push({ line, fate: fate.fate, reason: fate.reason });
    if (fate.fate === 'dropped') batch.drop(fate.reason);
    else {
      batch.quarantine({
        source: rules.source,
        reason: fate.reason,
        raw: fate.raw,
        project: request.project ?? '',
        observedAt: request.receivedAt,
      });
    }
  };
  for (const [index, line] of decodeText(request.body).split('\n').entries()) {
    if (line.trim() === '') continue;
    const fate = parseMetricJson(line);
    if (fate.fate !== 'kept') {
      refuse(index + 1, fate);
      continue;
    }
    const { record } = fate;
    const { project } = record;
    if (project !== undefined && request.onlyProjects?.includes(project) === false) {
      refuse(index + 1, { fate: 'dropped', reason: FOREIGN_PROJECT });
      continue;
    }
    const entry = entryOf(record, ownerOf(record, request, rules.projectOf), table);
    if (entry.ref < 0) refuse(index + 1, { fate: 'dropped', reason: 'series-limit' });
    else if (record.at < rules.notBefore || record.at > rules.notAfter) {
      refuse(index + 1, { fate: 'dropped', reason: 'time-implausible' });
    } else {
      batch.add(entry.ref, record.at, record.value);
      answer.stored += 1;
    }
  }
  return { ...answer, verdicts };
}

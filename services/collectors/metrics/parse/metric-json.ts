import type { Series } from '../../../../shared/contracts/metric-point.ts';
import { type Instant, isInstant, parseInstant } from '../../../../shared/values/instant.ts';
import { type ProjectId, parseProjectId } from '../../../../shared/values/project-id.ts';
import { dropped, type Fate, kept, quarantined } from '../../core/fate.ts';

export interface MetricRecord {
  readonly measurement: string;
  readonly field: string;
  /** Without project and cluster. */
  readonly tags: Readonly<Record<string, string>>;
  readonly cluster: string | undefined;
  readonly project: ProjectId | undefined;
  readonly at: Instant;
  readonly value: number;
}

const NAME = /^[\p{L}\p{N}_][^\p{Cc}]{0,254}$/u;
const TAG_VALUE = /^[^\p{Cc}]{0,512}$/u;
const MAX_TAGS = 32;
const NOT_A_NUMBER = new Set(['NaN', 'Infinity', '-Infinity']);

function instantOf(at: unknown): Instant | undefined {
  if (typeof at === 'string') return parseInstant(at);
  return typeof at === 'number' && isInstant(Math.floor(at)) ? Math.floor(at) : undefined;
}

function tagsOf(tags: unknown): Map<string, string> | undefined {
  const found = new Map<string, string>();
  if (tags === undefined || tags === null) return found;
  if (typeof tags !== 'object' || Array.isArray(tags)) return undefined;
  const entries = Object.entries(tags);
  if (entries.length > MAX_TAGS) return undefined;
  for (const [name, value] of entries) {
    const text = typeof value === 'number' || typeof value === 'boolean' ? `${value}` : value;
    if (!NAME.test(name) || name === '__proto__') return undefined;
    if (typeof text !== 'string' || !TAG_VALUE.test(text)) return undefined;
    found.set(name, text);
  }
  return found;
}

function objectOf(line: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(line);
    return typeof json === 'object' && json !== null && !Array.isArray(json)
      ? (json as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads one line of a pushed body: `{measurement, field, tags?, at | timestamp, value, project?}`;
 * times are ISO 8601 with zone or ms since 1970. A tag `cluster` overrides the request's.
 */
export function parseMetricJson(line: string): Fate<MetricRecord> {
  const json = objectOf(line);
  if (json === undefined) return quarantined('not-json', line);
  const { measurement, field, value } = json;
  if (typeof measurement !== 'string' || !NAME.test(measurement)) {
    return quarantined('bad-measurement', line);
  }
  if (typeof field !== 'string' || !NAME.test(field)) return quarantined('bad-field', line);
  const tags = tagsOf(json['tags']);
  if (tags === undefined) return quarantined('bad-tags', line);
  const at = instantOf(json['at'] ?? json['timestamp']);
  if (at === undefined) return quarantined('bad-time', line);
  const named = json['project'] ?? tags.get('project');
  const project = typeof named === 'string' ? parseProjectId(named) : undefined;
  if (named !== undefined && named !== null && project === undefined) {
    return quarantined('bad-project', line);
  }
  if (value === null || (typeof value === 'string' && NOT_A_NUMBER.has(value))) {
    return dropped('not-a-number');
  }
  if (typeof value !== 'number') return quarantined('bad-value', line);
  if (!Number.isFinite(value)) return dropped('not-a-number');
  const cluster = tags.get('cluster');
  tags.delete('project');
  tags.delete('cluster');
  return kept({ measurement, field, tags: Object.fromEntries(tags), cluster, project, at, value });
}

/** The series of a record, once its project and cluster are known. */
export function seriesOfRecord(
  record: MetricRecord,
  owner: { readonly project: ProjectId; readonly cluster: string },
): Series {
  const { measurement, field, tags } = record;
  return { measurement, field, tags: { ...tags, ...owner } };
}

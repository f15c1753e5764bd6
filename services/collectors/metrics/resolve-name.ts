import type { Series } from '../../../shared/contracts/metric-point.ts';
import { type ProjectId, parseProjectId, UNATTRIBUTED } from '../../../shared/values/project-id.ts';
import type { GraphiteSource } from './config.ts';
import { parseSparkName, type SparkName } from './parse/spark-name.ts';

/** Project of an application, undefined while it is not known. Asked again later. */
export type ProjectOf = (cluster: string, application: string) => ProjectId | undefined;

/** A series, or why a name leads to none. `provisional`: its project may become known later. */
export type ResolvedName =
  | { readonly series: Series; readonly provisional: boolean }
  | { readonly reason: string };

const CONTROL = /\p{Cc}/u;
const UTF8 = new TextDecoder('utf-8', { fatal: true });
const MAX_NAME = 1024;

export interface NameRules {
  readonly source: Pick<
    GraphiteSource,
    'cluster' | 'project' | 'projectFromPrefix' | 'prefixSegments'
  >;
  readonly projectOf: ProjectOf;
}

function ownerOf(
  name: SparkName,
  { source, projectOf }: NameRules,
): { project: ProjectId; provisional: boolean } {
  if (source.project !== undefined) return { project: source.project, provisional: false };
  if (source.projectFromPrefix) {
    const project = parseProjectId(name.prefix.split('.')[0] ?? '');
    if (project !== undefined) return { project, provisional: false };
  }
  if (name.namespace === '') return { project: UNATTRIBUTED, provisional: false };
  const project = projectOf(source.cluster, name.namespace);
  return { project: project ?? UNATTRIBUTED, provisional: project === undefined };
}

function tagsOf(name: SparkName, cluster: string, project: ProjectId): Record<string, string> {
  const tags: Record<string, string> = { ...name.extra, project, cluster };
  if (name.prefix !== '') tags['prefix'] = name.prefix;
  if (name.namespace !== '')
    tags[name.isApplication ? 'application' : 'namespace'] = name.namespace;
  if (name.executor !== '') tags['executor'] = name.executor;
  return tags;
}

/**
 * The series of a Graphite name. Ids of applications, executors and queries are tags, never names.
 *
 * @param latin1 the name's bytes, one character each
 */
export function resolveName(latin1: string, rules: NameRules): ResolvedName {
  if (latin1.length > MAX_NAME) return { reason: 'name-too-long' };
  let text: string;
  try {
    text = UTF8.decode(Buffer.from(latin1, 'latin1'));
  } catch {
    return { reason: 'not-utf8' };
  }
  if (CONTROL.test(text)) return { reason: 'control-character' };
  const name = parseSparkName(text, rules.source.prefixSegments);
  return name === undefined ? { reason: 'unknown-name' } : seriesOfName(name, rules);
}

/** The series of what Spark calls a metric, and whether its project may still become known. */
export function seriesOfName(
  name: SparkName,
  rules: NameRules,
): { readonly series: Series; readonly provisional: boolean } {
  const { project, provisional } = ownerOf(name, rules);
  const tags = tagsOf(name, rules.source.cluster, project);
  return {
    series: { measurement: name.measurement, field: name.field, tags },
    provisional,
  };
}

import { type ProjectId, parseProjectId, UNATTRIBUTED } from '../../../shared/values/project-id.ts';
import type { Origin } from './parse/to-log-record.ts';

/** What a source's configuration says of everything in it. */
export interface SourceConfig {
  readonly cluster: string;
  readonly project?: ProjectId | undefined;
}

export type ProjectOf = (cluster: string, application: string) => ProjectId | undefined;

/** YARN's container ids hold the application's. Source: apache/hadoop ContainerId.toString. */
function applicationOfContainer(container: string): string {
  const match = /^container_(?:e\d+_)?(\d+)_(\d+)_\d+_\d+$/.exec(container);
  return match === null ? '' : `application_${match[1]}_${match[2]}`;
}

/**
 * Where a record comes from. The project: of the source, of the path, of the application as the
 * ledger knows it, else `unattributed`.
 */
export function originOfSource(
  source: SourceConfig,
  captures: Readonly<Record<string, string>>,
  projectOf: ProjectOf | undefined,
): Origin {
  const cluster = captures['cluster'] ?? captures['cluster_id'] ?? source.cluster;
  const container = captures['container'] ?? captures['executor'] ?? '';
  const application = captures['application'] ?? applicationOfContainer(container);
  const project =
    source.project ??
    parseProjectId(captures['project'] ?? '') ??
    (application === '' ? undefined : projectOf?.(cluster, application)) ??
    UNATTRIBUTED;
  return { project, cluster, application, container };
}

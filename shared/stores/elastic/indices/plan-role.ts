import type { ProjectId } from '../../../values/project-id.ts';
import { ownPattern } from './plan-names.ts';

/** Body of `PUT _security/role/<name>`. */
export interface ReaderRole {
  readonly cluster: readonly string[];
  readonly indices: readonly {
    readonly names: readonly string[];
    readonly privileges: readonly string[];
  }[];
}

/**
 * The role of members who read a `direct` project in Kibana or Grafana: its own indices, read only,
 * those of tomorrow too, and nothing pooled. Logs from before the project was `direct` stay in the
 * pools and are read through the API.
 */
export function readerRole(prefix: string, project: ProjectId): ReaderRole {
  return {
    cluster: [],
    indices: [
      { names: [ownPattern(prefix, project)], privileges: ['read', 'view_index_metadata'] },
    ],
  };
}

import type { ProjectId } from '../values/project-id.ts';

/**
 * The project of an application that the ledger knows: what collectors of logs, metrics and
 * progress ask for each new application. Undefined while it isn't known yet.
 */
export interface ProjectLookup extends AsyncDisposable {
  projectOf(cluster: string, application: string): ProjectId | undefined;
}

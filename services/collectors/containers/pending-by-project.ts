import { addResources } from '../../../shared/clusters/add-resources.ts';
import type { SeenApplication } from '../../../shared/clusters/cluster-reader.ts';
import type { ProjectDemand } from '../../../shared/contracts/container-fact.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import {
  equalResources,
  isResources,
  NO_RESOURCES,
  type Resources,
} from '../../../shared/values/resources.ts';

/** Load is journaled every few seconds and kept for ever. */
const PROJECTS_MAX = 50;

function largestFirst([, a]: [string, Resources], [, b]: [string, Resources]): number {
  return b.millicores - a.millicores || b.memoryMib - a.memoryMib || b.gpus - a.gpus;
}

/**
 * Who waits for how much, by project, those that wait for most. What is left of a cluster's pending
 * demand is nobody's, and counts as one more project's.
 */
export function pendingByProject(
  applications: readonly SeenApplication[],
  attribute: (application: SeenApplication) => { readonly project: ProjectId },
): ProjectDemand[] {
  const wanted = new Map<ProjectId, Resources>();
  for (const application of applications) {
    const { pending = NO_RESOURCES, state } = application;
    if (state === 'ended' || equalResources(pending, NO_RESOURCES)) continue;
    const { project } = attribute(application);
    wanted.set(project, addResources(wanted.get(project) ?? NO_RESOURCES, pending));
  }
  const told = [...wanted].filter(([, resources]) => isResources(resources));
  const most = told.sort(largestFirst).slice(0, PROJECTS_MAX);
  return most
    .map(([project, resources]) => ({ project, resources }))
    .sort((a, b) => (a.project < b.project ? -1 : 1));
}

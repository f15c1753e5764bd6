import type { z } from 'zod';
import type { restPlannedResources } from '../../shared/contracts/rest-plan.ts';
import type { PlannedResources } from '../../shared/rating/evaluate-quota.ts';

/** What isn't said is nothing, held by one container. */
export function plannedResources(told: z.infer<typeof restPlannedResources>): PlannedResources {
  const { cores = 0, memoryMib = 0, gpus = 0, containers = 1 } = told;
  return { millicores: Math.round(cores * 1_000), memoryMib, gpus, containers };
}

import { z } from 'zod';

/** Most that a plan may hold of anything, and last: ten years. */
export const PLAN_LIMITS = {
  cores: 1_000_000,
  memoryMib: 1_000_000_000,
  gpus: 1_000_000,
  containers: 1_000_000,
  durationMs: 3_650 * 86_400_000,
} as const;

/** What a job plans to hold. */
export const restPlannedResources = z
  .strictObject({
    cores: z.number().min(0).max(PLAN_LIMITS.cores).optional(),
    memoryMib: z.number().int().min(0).max(PLAN_LIMITS.memoryMib).optional(),
    gpus: z.number().int().min(0).max(PLAN_LIMITS.gpus).optional(),
    containers: z
      .number()
      .int()
      .min(1)
      .max(PLAN_LIMITS.containers)
      .optional()
      .meta({ description: 'How many hold it: each costs the minimum charge at least; else 1' }),
  })
  .meta({ description: 'What the job will hold, all its containers together' });

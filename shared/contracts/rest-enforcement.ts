import { z } from 'zod';
import { ACTION_STATES, ENFORCEMENT_LEVELS } from './action.ts';

/** Enforcement: what it may do, what it does, and what stops it. Units and instants as in rest.ts. */
const instant = z
  .string()
  .meta({ description: 'UTC instant', example: '2026-11-21T09:30:00.000Z' });
const identity = z
  .string()
  .min(1)
  .max(200)
  .meta({ description: 'Given by the caller, so that sending it again does nothing twice' });
const why = z.string().trim().min(1).max(1_000).meta({ description: 'Kept for ever' });

/** Who did it, when and why. */
const audit = { id: z.string(), by: z.string(), why: z.string(), at: instant };

export const restLevelSwitch = z.object({
  ...audit,
  policy: z.string(),
  policyVersion: z.string(),
  level: z.enum(ENFORCEMENT_LEVELS),
  on: z.boolean(),
});

export const restExemption = z.object({
  ...audit,
  owner: z.string(),
  project: z.string().nullable(),
  cluster: z.string(),
  application: z.string(),
  workload: z.string(),
  expiresAt: instant,
});

export const restEnforcement = z.object({
  switch: z
    .object({ ...audit, on: z.boolean() })
    .nullable()
    .meta({ description: 'The API’s switch; null: never turned, which is on' }),
  brake: z
    .object({ reason: z.string(), detail: z.string(), at: instant })
    .nullable()
    .meta({ description: 'Why enforcement stopped itself, until a person releases it' }),
  policies: z.array(
    z.object({
      policy: z.string(),
      version: z.string(),
      levels: z.array(z.object({ level: z.enum(ENFORCEMENT_LEVELS), on: z.boolean() })),
    }),
  ),
  exemptions: z.array(restExemption),
});

export const restAction = z.object({
  id: z.string(),
  policy: z.string(),
  policyVersion: z.string(),
  level: z.enum(ENFORCEMENT_LEVELS),
  state: z.enum(ACTION_STATES),
  reason: z.string(),
  detail: z.string(),
  alert: z.string(),
  episode: z.number().int(),
  rule: z.string(),
  project: z.string().nullable(),
  target: z.object({
    kind: z.string(),
    cluster: z.string(),
    id: z.string(),
    startedAt: instant,
  }),
  proposedAt: instant,
  announcedAt: instant.nullable(),
  dueAt: instant.nullable().meta({ description: 'Not before then; null while it isn’t announced' }),
  extensions: z.number().int(),
  intendedAt: instant.nullable(),
  updatedAt: instant,
});

export const restActions = z.object({ actions: z.array(restAction) });

export const restActionFilter = z.object({
  state: z.enum(ACTION_STATES).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(200),
});

export const restActionHistory = z.object({
  action: restAction,
  frozen: z.string().meta({ description: 'Canonical JSON of what was decided from' }),
  chain: z.object({
    whole: z.boolean(),
    why: z.string(),
    entries: z.number().int(),
    hash: z
      .string()
      .meta({ description: 'Of the newest entry: note it to see later that none went' }),
  }),
  history: z.array(
    z.object({
      seq: z.number().int(),
      at: instant,
      kind: z.string(),
      body: z.string(),
      hash: z.string(),
    }),
  ),
});

export const restSwitchRequest = z.strictObject({ id: identity, on: z.boolean(), why });
export const restLevelRequest = z.strictObject({
  id: identity,
  policy: z.string().min(1).max(200),
  level: z.enum(ENFORCEMENT_LEVELS),
  on: z.boolean(),
  why,
});
export const restReleaseRequest = z.strictObject({ id: identity, why });
export const restReleased = z.object({ released: z.boolean() });
export const restResolutionRequest = z.strictObject({
  id: identity,
  outcome: z.enum(['verified', 'failed']),
  why,
});
export const restExemptionRequest = z.strictObject({
  id: identity,
  owner: z.string().trim().min(1).max(200),
  project: z.string().min(1).max(200).optional(),
  cluster: z.string().max(256).default(''),
  application: z.string().max(256).default(''),
  workload: z.string().max(1_000).default(''),
  expiresAt: instant,
  why,
});
export const restExemptions = z.object({ exemptions: z.array(restExemption) });

export type RestAction = z.infer<typeof restAction>;

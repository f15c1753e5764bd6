import { z } from 'zod';
import { ALERT_STATES, ALERT_VERDICTS, SEVERITIES, TARGET_KINDS } from './alert.ts';

/** Alerts, their history, and silences. Units and instants as in rest.ts. */
const instant = z
  .string()
  .meta({ description: 'UTC instant', example: '2026-11-21T09:30:00.000Z' });
const texts = z.record(z.string(), z.string());

export const restAlert = z.object({
  id: z.string().meta({ description: 'The same for every episode of this rule and these labels' }),
  episode: z.number().int().meta({ description: 'Counts its firings, from 1' }),
  rule: z.string(),
  ruleVersion: z.string(),
  severity: z.enum(SEVERITIES),
  project: z.string().nullable().meta({ description: 'null for the platform’s own' }),
  target: z.object({
    kind: z.enum(TARGET_KINDS),
    cluster: z.string(),
    id: z.string(),
    startedAt: instant.nullable(),
  }),
  labels: texts,
  annotations: texts.meta({ description: 'Summary, description, advice, runbook; plain text' }),
  state: z.enum(ALERT_STATES).meta({ description: 'gone: what it was about isn’t there any more' }),
  verdict: z.enum(ALERT_VERDICTS),
  verdictWhy: z.string(),
  value: z.number().nullable(),
  unit: z.string(),
  limit: z.string().meta({ description: 'What the value is held against', example: 'above 80 %' }),
  evidence: z.array(
    z.object({
      what: z.string(),
      value: z.number().nullable(),
      unit: z.string(),
      source: z.string(),
      watermark: instant.nullable().meta({ description: 'Data up to here are in it' }),
      complete: z.boolean(),
    }),
  ),
  cost: z.object({ perHour: z.string(), soFar: z.string() }).nullable(),
  activeSince: instant,
  firedAt: instant.nullable(),
  endedAt: instant.nullable(),
  evaluatedAt: instant,
});

export const restAlerts = z.object({ alerts: z.array(restAlert) });

export const restAlertHistory = z.object({
  alert: restAlert,
  transitions: z.array(
    z.object({
      at: instant,
      episode: z.number().int(),
      from: z.string(),
      to: z.string(),
      why: z.string(),
    }),
  ),
});

/** As the query of a list says it. */
export const restAlertFilter = z.object({
  state: z.enum(ALERT_STATES).optional(),
  rule: z.string().min(1).max(200).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(200),
});

export const restRuleHealth = z.object({
  rules: z.array(
    z.object({
      rule: z.string(),
      ruleVersion: z.string(),
      outcome: z.enum(['ok', 'error', 'stale']),
      why: z.string(),
      evaluatedAt: instant,
      durationMs: z.number(),
    }),
  ),
});

const matcher = z.strictObject({
  name: z.string().min(1).max(200),
  value: z.string().max(1_000),
  isRegex: z.boolean().default(false),
  isEqual: z.boolean().default(true),
});

export const restSilence = z.object({
  id: z.string(),
  matchers: z.array(matcher),
  author: z.string(),
  comment: z.string(),
  startsAt: instant,
  endsAt: instant,
  createdAt: instant,
  project: z.string().nullable().meta({ description: 'null: of the whole platform' }),
  receiver: z.string().nullable().meta({ description: 'Told before it ends' }),
  endedBy: z.string(),
  state: z.enum(['pending', 'active', 'expired']),
});

export const restSilences = z.object({ silences: z.array(restSilence) });

export const restSilenceRequest = z.strictObject({
  id: z
    .string()
    .min(1)
    .max(200)
    .meta({ description: 'Given by the caller, so that sending it again makes one silence' }),
  matchers: z.array(matcher).min(1).max(50),
  comment: z.string().trim().min(1).max(1_000),
  startsAt: instant.optional().meta({ description: 'Without it, now' }),
  endsAt: instant,
  receiver: z.string().min(1).max(200).optional(),
});

export type RestAlert = z.infer<typeof restAlert>;
export type RestSilence = z.infer<typeof restSilence>;

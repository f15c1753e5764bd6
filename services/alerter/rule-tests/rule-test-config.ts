import { z } from 'zod';
import {
  ALERT_STATES,
  ALERT_VERDICTS,
  SEVERITIES,
  TARGET_KINDS,
} from '../../../shared/contracts/alert.ts';
import { NOTIFICATION_REASONS } from '../../../shared/contracts/notification.ts';
import { parseInstant } from '../../../shared/values/instant.ts';
import { parseProjectId } from '../../../shared/values/project-id.ts';
import { notifyConfig } from '../notify/config.ts';
import { duration, span } from '../rules/duration.ts';
import { parseSeriesValues } from './series-values.ts';

const texts = z.record(z.string().min(1).max(200), z.string().max(10_000));

const instant = z.string().transform((text, context) => {
  const at = parseInstant(text);
  if (at !== undefined) return at;
  context.addIssue({
    code: 'custom',
    message: 'must be a time with its zone, as 2026-11-21T09:00:00Z',
  });
  return z.NEVER;
});

const values = z.string().transform((text, context) => {
  const parsed = parseSeriesValues(text);
  if ('values' in parsed) return parsed.values;
  context.addIssue({ code: 'custom', message: parsed.problem });
  return z.NEVER;
});

const project = z.string().transform((text, context) => {
  const id = parseProjectId(text);
  if (id !== undefined) return id;
  context.addIssue({ code: 'custom', message: `"${text}" can't be a project's id` });
  return z.NEVER;
});

/** One subject of a rule's signal, over time. */
const subject = z
  .strictObject({
    rule: z.string().describe('Whose signal answers this.'),
    labels: texts.default({}).describe('Labels of the subject.'),
    values: values.describe(
      "One value an interval, in promtool's notation: `_` is no value, `stale` is no subject; the last stands on.",
    ),
    project: project.optional().describe('Whose it is; else its label `project`, if it has one.'),
    target: z
      .strictObject({
        kind: z.enum(TARGET_KINDS),
        cluster: z.string().default(''),
        id: z.string().default(''),
        started: instant.optional(),
      })
      .prefault({ kind: 'tollgate' })
      .describe('What the alert is about.'),
    unit: z.string().default('').describe('Unit of the value.'),
    annotations: texts.default({}).describe('What the signal adds.'),
    cost: z
      .strictObject({ per_hour: z.string(), so_far: z.string() })
      .optional()
      .describe('What it costs, in credits.'),
    complete: z.boolean().default(true).describe('False: its evidence is not whole.'),
  })
  .describe('A subject of a signal.');

/** When a signal answers otherwise. */
const fault = z.strictObject({
  rule: z.string().describe('Whose signal it is.'),
  from: duration('From this time on,').prefault('0s'),
  until: duration('until this time (not included).'),
  failed: z.string().optional().describe('It fails, and this is why.'),
  behind: duration('Its data end so long ago.').optional(),
  partial: z.boolean().default(false).describe('Its answer is not whole.'),
});

const expectedAlert = z.strictObject({
  alert: z.string().describe('Name of the rule.'),
  labels: texts.default({}).describe('All its labels.'),
  state: z.enum(ALERT_STATES).default('firing').describe('Where it stands.'),
  severity: z.enum(SEVERITIES).optional(),
  verdict: z.enum(ALERT_VERDICTS).optional(),
  value: z.number().optional(),
  episode: z.number().int().optional(),
  annotations: texts.default({}).describe('Those named are compared.'),
});

const ruleNames = z.array(z.string().min(1)).default([]);

const expectedNotification = z.strictObject({
  receiver: z.string().describe('Who is told.'),
  reason: z.enum(NOTIFICATION_REASONS).describe('Why now.'),
  firing: ruleNames.describe('Rules of the alerts that fire, one name an alert.'),
  ended: ruleNames.describe('Those of alerts that ended.'),
});

const moment = z.strictObject({
  time: duration('Since the start.'),
  alerts: z
    .array(expectedAlert)
    .describe('All that fire, none else; others where they are named. Empty: silence.'),
  notifications: z
    .array(expectedNotification)
    .optional()
    .describe('All that was told since the moment before. Empty: silence.'),
});

const ruleTest = z
  .strictObject({
    name: z.string().min(1).max(200).describe('What is shown.'),
    start: instant.prefault('2026-11-21T00:00:00Z').describe('When it begins.'),
    interval: span('Time from one value to the next.').prefault('1m'),
    input: z
      .strictObject({
        signals: z.array(subject).max(1_000).default([]),
        faults: z.array(fault).max(100).default([]),
      })
      .prefault({})
      .describe('What the signals of rules answer; those that are not named answer nothing.'),
    at: z.array(moment).min(1).max(1_000).describe('What is expected, and when.'),
  })
  .describe('One story.');

/** A file of rule tests, as written; durations in ms and times as instants once it is read. */
export const ruleTestConfig = z
  .strictObject({
    rule_files: z.array(z.string().min(1)).min(1).describe('Files or folders, from this file on.'),
    notify: notifyConfig.optional().describe('Who is told, as in the configuration.'),
    tests: z.array(ruleTest).min(1).max(1_000),
  })
  .superRefine(({ notify, tests }, context) => {
    if (notify !== undefined) return;
    tests.forEach(({ at }, i) => {
      if (at.every(({ notifications }) => notifications === undefined)) return;
      const message = 'expects notifications of a file without "notify"; add its routes';
      context.addIssue({ code: 'custom', path: ['tests', i, 'at'], message });
    });
  });

export type RuleTest = z.output<typeof ruleTest>;
export type ExpectedAlert = z.output<typeof expectedAlert>;
export type ExpectedNotification = z.output<typeof expectedNotification>;

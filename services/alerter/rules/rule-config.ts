import { z } from 'zod';
import { SEVERITIES } from '../../../shared/contracts/alert.ts';
import { parseTemplate } from './annotation-template.ts';
import { duration } from './duration.ts';
import { signalConfig } from './signal-config.ts';
import { overlaps, threshold } from './threshold.ts';

const LABEL = /^(?!__)[A-Za-z_][A-Za-z0-9_]{0,99}$/;
const RESERVED_LABELS: readonly string[] = ['alertname', 'severity', 'project'];
const RUNBOOK = /^(https?:\/\/[^\s]{1,1000}|(?!\/)(?!.*\.\.)[A-Za-z0-9._/-]{1,200}\.md)$/;

const annotation = z
  .string()
  .min(1)
  .max(4_000)
  .superRefine((text, context) => {
    const read = parseTemplate(text);
    if ('problem' in read) context.addIssue({ code: 'custom', message: read.problem });
  });

const annotations = z
  .strictObject({
    summary: annotation.describe('One line: what is wrong, with what, and what it costs.'),
    description: annotation.optional().describe('More of it.'),
    advice: annotation.optional().describe('What to do.'),
  })
  .describe(
    'Plain text. `{{labels.NAME}}`, `{{annotations.NAME}}` (what the signal adds), `{{value}}`, ' +
      '`{{unit}}`, `{{limit}}`, `{{project}}`, `{{target.id}}`, `{{target.cluster}}`, ' +
      '`{{cost.perHour}}` and `{{cost.soFar}}` are put in, once.',
  );

const labels = z
  .record(
    z
      .string()
      .regex(LABEL, 'must be a name of letters, digits and _, not beginning with a digit or __')
      .refine((name) => !RESERVED_LABELS.includes(name), {
        error: `every alert has ${RESERVED_LABELS.join(', ')}; choose another name`,
      }),
    z.string().max(200),
  )
  .default({})
  .describe('Labels that every alert of the rule has, for routing.');

/** One entry of `rules:` in a rule file, as written; durations in ms once it is read. */
export const ruleConfig = z
  .strictObject({
    alert: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9_-]{0,99}$/, 'must be a name of letters, digits, _ and -')
      .describe('Name of the rule and of its alerts; no two rules share one.'),
    severity: z.enum(SEVERITIES).describe('How bad it is.'),
    owner: z.string().min(1).max(200).describe('Who answers for the rule: a team or a person.'),
    signal: signalConfig.describe('What is looked at.'),
    when: threshold.describe('Values that are a breach.'),
    clear: threshold
      .optional()
      .describe(
        'Values that end an alert; without it all that are no breach. Between the two it stays.',
      ),
    for: duration('How long a breach lasts before the alert fires.').prefault('0s'),
    keep_firing_for: duration('How long an alert fires on after its end.').prefault('0s'),
    every: duration('How often it is evaluated.')
      .refine((ms) => ms >= 1_000, 'must be at least 1s')
      .prefault('1m'),
    labels,
    annotations,
    runbook: z
      .string()
      .regex(RUNBOOK, 'must be a file such as QuotaUsed.md in alerts/runbooks, or a web address')
      .optional()
      .describe('What to read when it fires: a file in alerts/runbooks, or a web address.'),
    no_data: z
      .enum(['keep', 'alert'])
      .default('keep')
      .describe('A subject without a value keeps its state, or counts as a breach.'),
    stale_after: duration('Data that end longer ago decide nothing.')
      .refine((ms) => ms >= 1_000, 'must be at least 1s')
      .prefault('10m'),
    limit: z
      .number()
      .int()
      .min(1)
      .max(10_000)
      .default(1_000)
      .describe('Most alerts at once; with more the rule is in error and changes none.'),
  })
  .superRefine(({ when, clear }, context) => {
    if (clear === undefined || !overlaps(when, clear)) return;
    const message = 'holds for values for which "when" holds too; leave a gap between them';
    context.addIssue({ code: 'custom', path: ['clear'], message });
  });

export type RuleConfig = z.infer<typeof ruleConfig>;

/** A rule file. */
export const ruleFileConfig = z.strictObject({
  rules: z.array(ruleConfig).max(1_000).describe('The rules.'),
});

import { hash } from 'node:crypto';
import { z } from 'zod';
import { ENFORCEMENT_LEVELS, WORKLOAD_KINDS } from '../../../shared/contracts/action.ts';
import { SEVERITIES } from '../../../shared/contracts/alert.ts';
import { canonicalJson } from '../../../shared/values/canonical-json.ts';
import { duration, span } from '../rules/duration.ts';
import type { EnforceRules, Policy } from './plan/policy.ts';
import { SHIPPED_POLICIES } from './shipped-policies.ts';

const globs = (sentence: string, byDefault: readonly string[] = ['*']) =>
  z
    .array(z.string().min(1).max(200))
    .max(100)
    .default([...byDefault])
    .describe(sentence);
const percent = (byDefault: number, sentence: string) =>
  z.number().int().min(1).max(100).default(byDefault).describe(sentence);
const count = (byDefault: number, sentence: string) =>
  z.number().int().min(0).max(10_000).default(byDefault).describe(sentence);

const rung = z.strictObject({
  level: z.enum(ENFORCEMENT_LEVELS).describe('What is done.'),
  grace: duration('How long after its announcement has arrived.'),
  within: span('graceful-stop: how long the agent has to end between two batches.').prefault('10m'),
  evenIfBusy: z
    .boolean()
    .default(false)
    .describe('terminate-cluster: although it is not idle, as for one that is too old.'),
});

type WrittenRung = z.infer<typeof rung>;

/** What would make a ladder dangerous, or a part of it unreachable. */
function ladderProblems(ladder: readonly WrittenRung[]): string[] {
  const levels = ladder.map(({ level }) => ENFORCEMENT_LEVELS.indexOf(level));
  const isRising = levels.every((level, index) => index === 0 || level > (levels[index - 1] ?? -1));
  const sudden = ladder.filter(
    ({ level, grace }) => ENFORCEMENT_LEVELS.indexOf(level) >= 2 && grace < 60_000,
  );
  return [
    isRising ? [] : ['the ladder must go from mild to hard, each level once'],
    sudden.map(({ level }) => `${level} needs a grace of at least 1m`),
  ].flat();
}

const policy = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be lower-case letters, digits and hyphens')
    .describe('Name of the policy; levels are switched on by it.'),
  rules: globs('Globs of the rules whose alerts it acts upon.'),
  severities: z
    .array(z.enum(SEVERITIES))
    .min(1)
    .default(['critical'])
    .describe('Severities of those alerts.'),
  projects: globs('Globs of projects.'),
  clusters: globs('Globs of clusters.'),
  workloads: z
    .array(z.enum(WORKLOAD_KINDS))
    .min(1)
    .default([...WORKLOAD_KINDS])
    .describe('Kinds of applications.'),
  ladder: z
    .array(rung)
    .min(1)
    .max(ENFORCEMENT_LEVELS.length)
    .superRefine((ladder, context) => {
      for (const message of ladderProblems(ladder)) context.addIssue({ code: 'custom', message });
    })
    .describe('What is done, from mild to hard. Each level only observes until it is switched on.'),
  period: span('What was acted on is left alone for this time.').prefault('1d'),
  evidenceMaxAge: span('How old evidence may be.').prefault('5m'),
  minAge: duration('Younger applications and clusters are left alone.').prefault('10m'),
  includeStreaming: globs('Projects whose owners agreed that production streams may end.', []),
  extend: span('By how much the link in a message puts an action off.').prefault('1h'),
  extensionsMax: count(3, 'How often one action may be put off.'),
  announceTo: z
    .array(z.string().min(1))
    .default([])
    .describe('Receivers of its announcements; without any those of alerter.enforce.announceTo.'),
});

const tagValues = z.strictObject({
  key: z.string().min(1).describe('Key of a tag.'),
  values: globs('Globs of its values.'),
});

const queue = z.strictObject({
  cluster: z.string().min(1).describe('The cluster.'),
  project: z.string().min(1).describe('The only project that uses the queue.'),
  queue: z.string().min(1).describe('The queue, as its manager calls it.'),
});

const rules = {
  budget: z
    .strictObject({
      perTick: count(2, 'Most stops, kills and terminations of one round.'),
      perHour: count(10, 'Most within an hour, over all policies.'),
      perProjectHour: count(5, 'Most of one project within an hour.'),
      percentOfRunning: percent(5, 'Most within an hour, in percent of what runs; at least one.'),
    })
    .prefault({})
    .describe('More than this stops everything until somebody has looked.'),
  freeze: z
    .strictObject({
      drop: percent(
        50,
        'A cluster that loses more percent of its applications at once is waited for.',
      ),
      minimumLive: count(5, 'Clusters with fewer applications may lose all of them.'),
      settle: span('How long a drop must last to be believed.').prefault('15m'),
    })
    .prefault({})
    .describe('When a list of applications shrinks suddenly it is probably wrong.'),
  protect: z
    .strictObject({
      queues: globs('Queues.', ['root.system*', 'system*']),
      names: globs('Names or ids.', []),
      users: globs('Users.', []),
      tags: z.array(tagValues).max(100).default([]).describe('Tags.'),
    })
    .prefault({})
    .describe('Globs of what is never acted on.'),
  production: z
    .strictObject({
      keys: globs('Keys of tags.', ['Environment', 'Stage']),
      values: z.array(z.string()).default(['production', 'prod']).describe('Their values.'),
    })
    .prefault({})
    .describe('What marks production streams, which end only where their project agreed.'),
  agree: percent(10, 'How far apart two sources of one value may be, in percent.'),
  startTolerance: duration('How far an alert and a manager may differ about a start.').prefault(
    '2m',
  ),
  valid: span('How long after the announced time it may still be done.').prefault('1h'),
  idle: span('How long a cluster must have done nothing.').prefault('1h'),
  queues: z.array(queue).max(1_000).default([]).describe('Queues that new work can be denied in.'),
};

/** `alerter.enforce` of the configuration. */
export const enforceConfig = z
  .strictObject({
    policies: z.array(policy).max(200).default([]).describe('What may be done to whom.'),
    shipped: z.boolean().default(true).describe('Also the policies that come with Tollgate.'),
    announceTo: z.array(z.string().min(1)).default([]).describe('Receivers of announcements.'),
    operators: z
      .array(z.string().min(1))
      .default([])
      .describe('Receivers that are told when enforcement stops itself.'),
    tick: span('How often it looks.').prefault('10s'),
    verify: span('How long after a question its effect must be seen.').prefault('5m'),
    longestExemption: span('The furthest end of an exemption.').prefault('92d'),
    ...rules,
  })
  .superRefine(({ policies }, context) => {
    const ids = policies.map(({ id }) => id);
    const twice = new Set(ids.filter((id, index) => ids.indexOf(id) !== index));
    for (const id of twice) {
      context.addIssue({ code: 'custom', message: `there are two policies ${id}` });
    }
  });

export type EnforceConfig = z.infer<typeof enforceConfig>;

function policyOf(written: z.infer<typeof policy>, announceTo: readonly string[]): Policy {
  const { id, ladder, period, evidenceMaxAge, minAge, extend, ...rest } = written;
  const definition = {
    ...rest,
    id,
    ladder: ladder.map(({ level, grace, within, evenIfBusy }) => {
      return { level, graceMs: grace, withinMs: within, evenIfBusy };
    }),
    ...{ periodMs: period, evidenceMaxAgeMs: evidenceMaxAge, minAgeMs: minAge, extendMs: extend },
    announceTo: rest.announceTo.length > 0 ? rest.announceTo : announceTo,
  };
  // Whom it tells changes nothing of what it does.
  const { announceTo: _, ...acting } = definition;
  return { ...definition, version: hash('sha256', canonicalJson(acting), 'hex').slice(0, 16) };
}

/** Policies as the planner takes them: the configured ones, then those shipped that have no namesake. */
export function policiesOf(config: EnforceConfig): Policy[] {
  const own = new Set(config.policies.map(({ id }) => id));
  const shipped = config.shipped ? SHIPPED_POLICIES.map((one) => policy.parse(one)) : [];
  return [...config.policies, ...shipped.filter(({ id }) => !own.has(id))].map((one) =>
    policyOf(one, config.announceTo),
  );
}

const LOOK_MAX_AGE_MS = 60_000;
const CLOCK_TOLERANCE_MS = 5_000;
const ANNOUNCE_MAX_MS = 3_600_000;

export function enforceRulesOf(config: EnforceConfig): EnforceRules {
  const { budget, protect, production, queues, freeze } = config;
  return {
    ...{ budget, protect, production, queues },
    freeze: {
      ...{ dropPercent: freeze.drop, minimumLive: freeze.minimumLive, settleMs: freeze.settle },
    },
    agreePercent: config.agree,
    startToleranceMs: config.startTolerance,
    lookMaxAgeMs: LOOK_MAX_AGE_MS,
    clockToleranceMs: CLOCK_TOLERANCE_MS,
    validMs: config.valid,
    announceMaxMs: ANNOUNCE_MAX_MS,
    idle: { windowMs: config.idle, freshMs: 5 * LOOK_MAX_AGE_MS },
  };
}

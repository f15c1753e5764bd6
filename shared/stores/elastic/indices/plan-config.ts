import { z } from 'zod';
import { DAY_MS, HOUR_MS, type Instant, MINUTE_MS } from '../../../values/instant.ts';
import { isProjectId, type ProjectId } from '../../../values/project-id.ts';
import type { ProjectWish } from './planner.ts';

const GB = 1_000_000_000;

const project = z.strictObject({
  direct: z
    .boolean()
    .default(false)
    .describe(
      'Members use Kibana or Grafana directly: the project always gets indices of its own.',
    ),
  expectedGbPerDay: z
    .number()
    .min(0)
    .max(100_000)
    .default(0)
    .describe('Stored gigabytes a day that are planned for before they are measured.'),
  keptDays: z
    .int()
    .min(1)
    .max(36_500)
    .optional()
    .describe('Days that logs are kept in indices of its own; pooled logs follow keptDays of all.'),
});

/** Options of the index plan, part of those of the log store in Elasticsearch. */
export const indexPlanConfig = z.strictObject({
  keptDays: z
    .int()
    .min(1)
    .max(36_500)
    .default(30)
    .describe('An index is dropped when its whole day or month is older than so many days.'),
  expectedPooledGbPerDay: z
    .number()
    .min(0)
    .max(100_000)
    .default(0)
    .describe('Stored gigabytes a day of all projects not named here, for the first plan.'),
  projects: z
    .record(z.string().refine(isProjectId, 'must be a project id'), project)
    .default({})
    .describe('What is known of single projects.'),
  refreshMs: z
    .int()
    .min(100)
    .max(HOUR_MS)
    .default(10_000)
    .describe('Every so often each writer and reader reads the plan again, in milliseconds.'),
  maxAgeMs: z
    .int()
    .min(1_000)
    .max(DAY_MS)
    .default(60_000)
    .describe('A plan read longer ago than these milliseconds is not written by.'),
  latestAheadHours: z
    .int()
    .min(0)
    .max(720)
    .default(48)
    .describe('How far ahead of the clock an event time is believed; what the collectors allow.'),
  planEveryMs: z
    .int()
    .min(1_000)
    .max(DAY_MS)
    .default(10 * MINUTE_MS)
    .describe('Every so often volumes are measured, the plan is extended and old indices dropped.'),
});

export type IndexPlanConfig = z.infer<typeof indexPlanConfig>;

/** Longest time from a planner's look at its clock until its entries are stored. */
export const COMMIT_MS = MINUTE_MS;
/** Clocks of two machines differ by less. */
const CLOCKS_MS = 10 * MINUTE_MS;

/**
 * How far ahead an appended entry must hold, so that no writer can have put a record elsewhere.
 *
 * A writer with the old plan began to read it before the entry was stored, at most `maxAgeMs` before
 * it places a record, whose event time is at most `latestAheadHours` after that. So its event time
 * is below *stored + maxAge + latestAhead*. The planner looked at its clock at most `COMMIT_MS`
 * before *stored*, on a clock that differs by at most ten minutes. The sum is the lead.
 */
export function leadMs(config: Pick<IndexPlanConfig, 'maxAgeMs' | 'latestAheadHours'>): number {
  return config.maxAgeMs + config.latestAheadHours * HOUR_MS + COMMIT_MS + CLOCKS_MS;
}

export function wishesOf(config: IndexPlanConfig): Map<ProjectId, ProjectWish> {
  return new Map(
    Object.entries(config.projects).map(([id, { direct, expectedGbPerDay }]) => [
      id as ProjectId,
      { direct, bytesPerDay: expectedGbPerDay * GB },
    ]),
  );
}

/** Records whose index ended before it are over. */
export function keptSince(
  config: Pick<IndexPlanConfig, 'keptDays' | 'projects'>,
  owner: ProjectId | undefined,
  now: Instant,
): Instant {
  const own = owner === undefined ? undefined : config.projects[owner]?.keptDays;
  return now - (own ?? config.keptDays) * DAY_MS;
}

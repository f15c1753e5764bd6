import { z } from 'zod';
import { parseCredits } from '../values/money.ts';
import { parseProjectId } from '../values/project-id.ts';
import type { Level } from './evaluate-levels.ts';

const id = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[a-z0-9][a-z0-9._-]*$/, 'must be of a-z, 0-9, dot, dash and underscore');

const limit = z
  .string()
  .refine((text) => (parseCredits(text) ?? -1n) >= 0n, 'must be credits of 0 or more')
  .optional()
  .describe('Credits that its projects may use in a UTC month together; without it any amount.');

const team = z.strictObject({
  id: id.describe('Name of the team.'),
  monthlyLimit: limit,
  borrowMax: z
    .string()
    .refine((text) => (parseCredits(text) ?? -1n) >= 0n, 'must be credits of 0 or more')
    .default('0')
    .describe('Credits that each of its projects may borrow from the others; 0 is no borrowing.'),
  projects: z
    .array(z.string().refine((text) => parseProjectId(text) !== undefined, 'is no project id'))
    .describe('Its projects.'),
});

/** Organisations, their teams and projects, as `tollgate.yaml` writes them. */
export const hierarchyConfig = z
  .array(
    z.strictObject({
      id: id.describe('Name of the organisation.'),
      monthlyLimit: limit,
      teams: z.array(team).default([]).describe('Its teams.'),
    }),
  )
  .default([])
  .describe('Who stands above projects: a job starts only where every level has room.')
  .superRefine((organisations, context) => {
    const teams = organisations.flatMap((one) => one.teams);
    const names: readonly (readonly [string, readonly string[]])[] = [
      ['organisation', organisations.map((one) => one.id)],
      ['team', teams.map((one) => one.id)],
      [
        'project',
        teams.flatMap(({ projects }) => projects.map((text) => parseProjectId(text) ?? text)),
      ],
    ];
    for (const [kind, all] of names) {
      const twice = all.filter((name, n) => all.indexOf(name) !== n);
      if (twice.length === 0) continue;
      const message = `${kind} ${[...new Set(twice)].join(', ')} stands in it more than once`;
      context.addIssue({ code: 'custom', message });
    }
  });

type Hierarchy = z.infer<typeof hierarchyConfig>;

const toCredits = (text: string | undefined) =>
  text === undefined ? undefined : parseCredits(text);

/** Every level, and of each project those above it, its team first. */
export function levelsOf(hierarchy: Hierarchy): {
  readonly levels: readonly Level[];
  readonly above: (project: string) => readonly Level[];
} {
  const levels: Level[] = [];
  const byProject = new Map<string, Level[]>();
  for (const { id: organisation, monthlyLimit, teams } of hierarchy) {
    const all = teams.flatMap(({ projects }) =>
      projects.map((text) => parseProjectId(text) ?? text),
    );
    const top: Level = {
      ...{ key: `organisation/${organisation}`, monthlyLimit: toCredits(monthlyLimit) },
      ...{ borrowMax: 0n, projects: all },
    };
    for (const one of teams) {
      const projects = one.projects.map((text) => parseProjectId(text) ?? text);
      const level: Level = {
        ...{ key: `team/${one.id}`, monthlyLimit: toCredits(one.monthlyLimit) },
        ...{ borrowMax: parseCredits(one.borrowMax) ?? 0n, projects },
      };
      levels.push(level);
      for (const project of projects) byProject.set(project, [level, top]);
    }
    levels.push(top);
  }
  return { levels, above: (project) => byProject.get(project) ?? [] };
}

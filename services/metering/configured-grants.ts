import { z } from 'zod';
import { grantProblems } from '../../shared/grants/grant-problems.ts';
import type { GrantTerms } from '../../shared/grants/grant-terms.ts';
import type { Grant } from '../../shared/stores/grant-store.ts';
import { type Instant, parseInstant } from '../../shared/values/instant.ts';
import { parseCredits } from '../../shared/values/money.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';

const instant = z
  .string()
  .refine((text) => parseInstant(text) !== undefined, 'must be an instant in UTC');

const credits = z
  .string()
  .refine((text) => (parseCredits(text) ?? -1n) >= 0n, 'must be credits of 0 or more')
  .default('0');

/** Terms of one grant, as `tollgate.yaml` writes them. */
export const grantTermsConfig = z
  .strictObject({
    priority: z
      .number()
      .int()
      .default(0)
      .describe('From 0 to 1000; grants of low priority burn first.'),
    validFrom: instant.describe(
      'Whole UTC hour from which it holds; of a monthly grant the start of its first month.',
    ),
    expiresAt: instant
      .optional()
      .describe('Whole UTC hour, or month, from which it holds no longer; without it never.'),
    monthly: z
      .strictObject({
        minRollover: credits.describe('Least credits that each month passes on to the next.'),
        maxRollover: credits.describe('Most credits left that each month passes on to the next.'),
      })
      .optional()
      .describe('Gives the credits each UTC month, for that month.'),
  })
  .optional()
  .describe('When and how the credits hold; without terms from now on and for ever.');

interface ConfiguredProject {
  readonly id: string;
  readonly grants: readonly {
    readonly id: string;
    readonly credits: string;
    readonly reason: string;
    readonly terms?: z.infer<typeof grantTermsConfig>;
  }[];
}

function termsFrom(terms: NonNullable<z.infer<typeof grantTermsConfig>>): GrantTerms {
  const { priority, validFrom, expiresAt, monthly } = terms;
  return {
    priority,
    validFrom: parseInstant(validFrom) ?? 0,
    expiresAt: expiresAt === undefined ? undefined : parseInstant(expiresAt),
    monthly: monthly && {
      min: parseCredits(monthly.minRollover) ?? 0n,
      max: parseCredits(monthly.maxRollover) ?? 0n,
    },
  };
}

/** The configured grants; the schema has checked their amounts and times. */
export function configuredGrants(projects: readonly ConfiguredProject[], now: Instant): Grant[] {
  return projects.flatMap(({ id, grants }) =>
    grants.map((grant) => ({
      id: grant.id,
      project: id as ProjectId,
      amount: parseCredits(grant.credits) ?? 0n,
      reason: grant.reason,
      grantedAt: now,
      ...(grant.terms === undefined ? {} : { terms: termsFrom(grant.terms) }),
    })),
  );
}

/** Adds a problem for each grant that makes no sense or contradicts another one. */
export function checkConfiguredGrants(
  projects: readonly ConfiguredProject[],
  { addIssue }: Pick<z.RefinementCtx, 'addIssue'>,
): void {
  const bodies = new Map<string, string>();
  for (const [p, { id: project, grants }] of projects.entries()) {
    for (const [g, grant] of grants.entries()) {
      const add = (path: string, message: string): void =>
        addIssue({ code: 'custom', path: ['projects', p, 'grants', g, path], message });
      const body = JSON.stringify([project, grant]);
      const before = bodies.get(grant.id);
      bodies.set(grant.id, body);
      if (before !== undefined && before !== body) {
        add('id', `${grant.id} is another grant's too, with another project, amount or terms`);
      }
      const [given] = configuredGrants([{ id: project, grants: [grant] }], 0);
      if (given === undefined) continue;
      // Without a clock: of the far past and future the store says more.
      const now = given.terms?.validFrom ?? 0;
      for (const { path, message } of grantProblems(given, now)) add(path, message);
    }
  }
}

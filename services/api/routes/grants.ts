import type { z } from 'zod';
import { restGrant, restGrantRequest, restGrants } from '../../../shared/contracts/rest-grants.ts';
import { must } from '../../../shared/errors/assert.ts';
import { grantProblems } from '../../../shared/grants/grant-problems.ts';
import { type GrantTerms, termsOf } from '../../../shared/grants/grant-terms.ts';
import type { Grant } from '../../../shared/stores/grant-store.ts';
import { type Instant, parseInstant, utcHour } from '../../../shared/values/instant.ts';
import { type Nanocredits, parseCredits } from '../../../shared/values/money.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { utcMonth } from '../../../shared/values/utc-month.ts';
import type { ApiDeps } from '../api-deps.ts';
import { badRequest, type FieldError } from '../http/bad-request.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { toRestGrants } from '../rest-grants.ts';
import { mustBalance } from './projects.ts';

type Deps = Pick<ApiDeps, 'ledger' | 'grants' | 'clock'>;

const grantRequest = restGrantRequest.extend({
  credits: restGrantRequest.shape.credits.refine((text) => (parseCredits(text) ?? 0n) !== 0n, {
    error: 'must be an exact decimal with at most nine decimals, and not 0',
  }),
});
type Body = z.infer<typeof grantRequest>;

/** Reads what zod leaves as text; its problems are said with all others. */
class Reading {
  readonly errors: FieldError[] = [];

  instant(path: string, text: string | undefined): Instant | undefined {
    const at = text === undefined ? undefined : parseInstant(text);
    if (text !== undefined && at === undefined) {
      const message = 'must be an instant such as 2026-12-01T00:00:00Z';
      this.errors.push({ path: `body.${path}`, message });
    }
    return at;
  }

  credits(path: string, text: string | undefined): Nanocredits {
    const amount = parseCredits(text ?? '0');
    if (amount === undefined) {
      const message = 'must be an exact decimal with at most nine decimals';
      this.errors.push({ path: `body.${path}`, message });
    }
    return amount ?? 0n;
  }
}

/**
 * What a request says of when and how credits hold; undefined when it says nothing. A time that it
 * leaves out is the one of the grant that is there, so that a request sent again later is the same.
 */
function readTerms(
  body: Body,
  reading: Reading,
  now: Instant,
  stored: Grant | undefined,
): GrantTerms | undefined {
  const { priority, monthly } = body;
  const validFrom = reading.instant('validFrom', body.validFrom);
  const expiresAt = reading.instant('expiresAt', body.expiresAt);
  const says = [priority, monthly, body.validFrom, body.expiresAt];
  if (says.every((one) => one === undefined)) return undefined;
  const present = monthly === undefined ? utcHour(now) : utcMonth(now);
  return {
    priority: priority ?? 0,
    validFrom: validFrom ?? (stored === undefined ? present : termsOf(stored).validFrom),
    expiresAt,
    monthly: monthly && {
      min: reading.credits('monthly.minRollover', monthly.minRollover),
      max: reading.credits('monthly.maxRollover', monthly.maxRollover),
    },
  };
}

async function readGrant(deps: Deps, project: ProjectId, body: Body): Promise<Grant> {
  const now = deps.clock.now();
  const stored = (await deps.grants.grants(project)).find(({ id }) => id === body.id);
  const reading = new Reading();
  const terms = readTerms(body, reading, now, stored);
  const grant: Grant = {
    id: body.id,
    project,
    amount: must(parseCredits(body.credits), 'credits that the schema let pass'),
    reason: body.reason,
    grantedAt: now,
    ...(terms === undefined ? {} : { terms }),
  };
  const problems = grantProblems(grant, now).map(({ path, message }) => ({
    path: `body.${path}`,
    message,
  }));
  const errors = [...reading.errors, ...problems];
  if (errors.length > 0) throw badRequest(errors);
  return grant;
}

export function grantEndpoints(deps: Deps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/v1/projects/{project}/grants',
      scope: 'read',
      summary: 'Credits given, and which of them paid what',
      answer: restGrants,
      async handle({ project }) {
        const now = deps.clock.now();
        await mustBalance(deps, project, now);
        return toRestGrants(await deps.grants.book(project), now);
      },
    }),
    endpoint({
      method: 'post',
      path: '/v1/projects/{project}/grants',
      scope: 'admin',
      summary: 'Gives credits; the same id again is a no-op',
      body: grantRequest,
      answer: restGrant,
      status: 201,
      async handle({ project, body }) {
        const grant = await readGrant(deps, project, body);
        await deps.grants.grant(grant);
        const { grants } = toRestGrants(await deps.grants.book(project), deps.clock.now());
        return must(
          grants.find(({ id }) => id === grant.id),
          'a grant that was given is there',
        );
      },
    }),
  ];
}

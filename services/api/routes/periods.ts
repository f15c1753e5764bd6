import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import {
  restClosedPeriod,
  restClosedPeriods,
  restPeriodReport,
} from '../../../shared/contracts/rest-periods.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import { currencyAmount } from '../../../shared/rating/currency-amount.ts';
import {
  PERIOD_RULE_VERSION,
  type PeriodQuestion,
  PeriodTotals,
} from '../../../shared/rating/period-report.ts';
import type { ClosedPeriod } from '../../../shared/stores/period-store.ts';
import { canonicalJson } from '../../../shared/values/canonical-json.ts';
import { formatInstant, type Instant } from '../../../shared/values/instant.ts';
import { formatCredits, parseCredits } from '../../../shared/values/money.ts';
import { type Month, monthEnd, monthStart, parseMonth } from '../../../shared/values/month.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import type { ApiDeps } from '../api-deps.ts';
import { badRequest } from '../http/bad-request.ts';
import { demandAllProjects } from '../http/caller.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { parseTime } from '../http/query-schema.ts';
import { mustBalance } from './projects.ts';

type Deps = Pick<ApiDeps, 'ledger' | 'periods' | 'closeGraceMs' | 'creditPrice' | 'clock'>;

/** Rows read at once; between two pages others have their turn. */
const PAGE = 2_000;

function toRest(closed: ClosedPeriod): z.infer<typeof restClosedPeriod> {
  return { ...closed, closedAt: formatInstant(closed.closedAt) };
}

function mustMonth({ month = '' }: Readonly<Record<string, string>>): Month {
  const parsed = parseMonth(month);
  if (parsed !== undefined) return parsed;
  throw badRequest([{ path: 'month', message: 'must be a month in UTC, such as 2026-10' }]);
}

/** What is asked, with a cut-off by which everything is known: a later answer is the same. */
async function questionOf(
  { periods }: Deps,
  { project, month }: { readonly project: ProjectId; readonly month: Month },
  asOf: Instant | undefined,
): Promise<PeriodQuestion> {
  const known = (await periods.knownUntil()) - 1;
  const closedAt = (await periods.closed()).find((closed) => closed.month >= month)?.closedAt;
  const cutOff = asOf ?? Math.max(known, closedAt ?? known);
  const isKnown = cutOff <= known || (closedAt !== undefined && cutOff >= closedAt);
  if (!isKnown) {
    const message = `the ledger is settled up to ${formatInstant(known)}: ask for that or earlier, or leave it out`;
    throw badRequest([{ path: 'query.asOf', message }]);
  }
  return { project, month, cutOff, closedAt, ruleVersion: PERIOD_RULE_VERSION };
}

async function reportOf(
  { periods, creditPrice }: Deps,
  question: PeriodQuestion,
): Promise<z.infer<typeof restPeriodReport>> {
  const totals = new PeriodTotals(question);
  for await (const page of periods.booked(question.project, question.month, PAGE)) {
    for (const charge of page) totals.add(charge);
    await setImmediate();
  }
  const report = totals.report();
  const digest = createHash('sha256').update(canonicalJson(report)).digest('hex');
  const price = creditPrice(monthStart(question.month));
  const total = parseCredits(report.total.amount) ?? 0n;
  const money = price && {
    currency: price.currency,
    perCredit: formatCredits(price.perCredit),
    amount: currencyAmount(total, price),
  };
  const answer = { report, money: money ?? null, hash: `sha256:${digest}` };
  // The report's lists are read-only, which a schema can't say.
  return answer as z.infer<typeof restPeriodReport>;
}

/** The books month by month: what a project's come to, and the closing of all. */
export function periodEndpoints(deps: Deps): Endpoint[] {
  const { periods, clock, closeGraceMs } = deps;
  return [
    endpoint({
      method: 'get',
      path: '/v1/projects/{project}/periods/{month}',
      scope: 'read',
      summary: 'A month of the books: totals, corrections, and a hash that stays',
      query: z.object({
        asOf: z
          .string()
          .optional()
          .refine((text) => text === undefined || parseTime(text, 0) !== undefined, {
            error: 'must be ISO 8601 with a zone, or such as -15m, -2h, -7d',
          })
          .meta({ description: 'Cut-off: rows stored later are not in it; default: all known' }),
      }),
      answer: restPeriodReport,
      async handle({ project, params, query }) {
        const month = mustMonth(params);
        await mustBalance(deps, project);
        const asOf = query.asOf === undefined ? undefined : parseTime(query.asOf, clock.now());
        return reportOf(deps, await questionOf(deps, { project, month }, asOf));
      },
    }),
    endpoint({
      method: 'get',
      path: '/v1/periods',
      scope: 'read',
      summary: 'Months that were closed, by whom and when; each closed all before it',
      answer: restClosedPeriods,
      async handle() {
        return { periods: (await periods.closed()).map(toRest) };
      },
    }),
    endpoint({
      method: 'post',
      path: '/v1/periods/{month}/close',
      scope: 'admin',
      summary: 'Closes a month for ever, and those before it; once closed, tells how',
      answer: restClosedPeriod,
      async handle({ params, caller }) {
        demandAllProjects(caller);
        const month = mustMonth(params);
        const [at, from] = [clock.now(), monthEnd(month) + closeGraceMs];
        if (at < from) {
          throw new AppError(
            'CONFLICT',
            `${month} can be closed from ${formatInstant(from)} on: late facts have until then ` +
              '(metering.closeGraceMs)',
          );
        }
        return toRest(await periods.close({ month, at, by: caller.label }));
      },
    }),
  ];
}

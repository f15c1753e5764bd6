import type { RestReplayResult } from '../../../shared/contracts/rest-replay.ts';
import type { GrantStore } from '../../../shared/stores/grant-store.ts';
import type { LedgerReader } from '../../../shared/stores/ledger-reader.ts';
import type { ReplayReader } from '../../../shared/stores/replay-reader.ts';
import { formatInstant, type Instant } from '../../../shared/values/instant.ts';
import type { Interval } from '../../../shared/values/interval.ts';
import { formatCredits, type Nanocredits, parseCredits } from '../../../shared/values/money.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import type { ReplayTariff } from './config.ts';
import { type CreditChange, followBudget } from './follow-budget.ts';

export interface BudgetStores {
  readonly replay: Pick<ReplayReader, 'started'>;
  readonly ledger: Pick<LedgerReader, 'balance'>;
  readonly grants: Pick<GrantStore, 'grants'>;
}

export interface BudgetQuestion {
  readonly project: ProjectId;
  readonly window: Interval;
  /** Undefined: it has what it was granted. */
  readonly budget: NonNullable<ReplayTariff['budgets']>[number] | undefined;
  /** What each hour is charged under the tariff. */
  readonly hours: ReadonlyMap<Instant, Nanocredits>;
  /** What the ledger has charged since the window's start. */
  readonly chargedSince: Nanocredits;
}

type Outcome = Pick<RestReplayResult['projects'][number], 'exhaustedAt' | 'lowest' | 'refused'>;

const UNLIMITED: Outcome = {
  exhaustedAt: null,
  lowest: null,
  refused: { applications: 0, charged: '0', first: [] },
};

/** Starts of the UTC months inside the window. */
function monthStarts({ start, end }: Interval): Instant[] {
  const starts: Instant[] = [];
  const date = new Date(start);
  for (let month = date.getUTCMonth() + 1; ; month += 1) {
    const at = Date.UTC(date.getUTCFullYear(), month);
    if (at >= end) return starts;
    starts.push(at);
  }
}

interface Credits {
  readonly opening: Nanocredits;
  readonly changes: readonly CreditChange[];
}

/** What a project has at the window's start, and gets in it; undefined where nothing limits it. */
async function creditsOf(
  { grants, ledger }: BudgetStores,
  { project, window, budget, chargedSince }: BudgetQuestion,
): Promise<Credits | undefined> {
  if (budget !== undefined) {
    const credits = parseCredits(budget.credits) ?? 0n;
    const again = budget.renew === 'month' ? monthStarts(window) : [];
    const changes = again.map((at) => ({ at, credits, replaces: true }));
    return { opening: credits, changes };
  }
  const given = await grants.grants(project);
  if (given.length === 0) return undefined;
  const charged = (await ledger.balance(project))?.charged ?? 0n;
  const before = given.filter(({ grantedAt }) => grantedAt < window.start);
  const granted = before.reduce((sum, { amount }) => sum + amount, 0n);
  const changes = given
    .filter(({ grantedAt }) => grantedAt >= window.start && grantedAt < window.end)
    .map(({ grantedAt, amount }) => ({ at: grantedAt, credits: amount, replaces: false }));
  return { opening: granted - (charged - chargedSince), changes };
}

/** When a project's credits would have ended, and which applications started after that. */
export async function replayBudget(
  stores: BudgetStores,
  question: BudgetQuestion,
): Promise<Outcome> {
  const credits = await creditsOf(stores, question);
  if (credits === undefined) return UNLIMITED;
  const { window, hours, project } = question;
  const course = followBudget(credits.opening, credits.changes, hours, window);
  let [applications, charged] = [0, 0n];
  const first: string[] = [];
  for (const { start, end } of course.refusing) {
    const started = await stores.replay.started(project, { from: start, until: end });
    applications += started.applications;
    charged += started.charged;
    if (first.length === 0) first.push(...started.first);
  }
  return {
    exhaustedAt: course.exhaustedAt === undefined ? null : formatInstant(course.exhaustedAt),
    lowest: formatCredits(course.lowest),
    refused: { applications, charged: formatCredits(charged), first },
  };
}

import { burnDown, type HourCharge } from '../../../shared/grants/burn-down.ts';
import { forecastEnd } from '../../../shared/grants/forecast-end.ts';
import type { Grant } from '../../../shared/stores/grant-store.ts';
import type { SureBalance } from '../../../shared/stores/ledger-reader.ts';
import { HOUR_MS, type Instant, utcHour } from '../../../shared/values/instant.ts';
import {
  formatCredits,
  NANOCREDITS_PER_CREDIT,
  type Nanocredits,
} from '../../../shared/values/money.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import type { SignalOf } from '../rules/signal-config.ts';
import { isPast } from './is-past.ts';
import { readProjects } from './read-projects.ts';
import { seen } from './seen.ts';
import type { Sample } from './signal.ts';
import type { SignalDeps } from './signal-deps.ts';
import { type ReadSubjects, wholeRead } from './subjects-read.ts';

type Deps = Pick<SignalDeps, 'ledger' | 'grants' | 'spending' | 'clock'>;
type Config = SignalOf<'balance'>;

/** With less of a past a mean is no habit. */
const HOURS_MIN = 6;

/** A project's credits as of a moment. */
interface Account {
  readonly project: ProjectId;
  /** Of the grants that hold now. */
  readonly granted: Nanocredits;
  /** Less what is accrued and reserved. */
  readonly left: Nanocredits;
  readonly perHour: Nanocredits;
  readonly soFar: Nanocredits;
  readonly accrued: Nanocredits;
  readonly asOf: Instant;
}

interface Told {
  readonly value: number | undefined;
  readonly why: string;
  readonly evidence: Sample['evidence'];
}

const creditsOf = (amount: Nanocredits): number => Number(amount) / Number(NANOCREDITS_PER_CREDIT);

/**
 * Of grants that hold no more neither what they gave nor what was used of them counts: with monthly
 * grants a share of everything ever given would be near 100 % for ever.
 */
function accountOf(
  grants: readonly Grant[],
  charges: readonly HourCharge[],
  at: Instant,
): { granted: Nanocredits; left: Nanocredits } {
  const { pieces, balance } = burnDown(grants, charges, at);
  const granted = pieces
    .filter(({ piece }) => piece.until === undefined || piece.until > at)
    .reduce((sum, piece) => sum + piece.granted, 0n);
  return { granted, left: balance };
}

async function presentAccount(
  { grants }: Deps,
  project: ProjectId,
  balance: SureBalance,
  at: Instant,
): Promise<Account> {
  const { accrued, reserved, perHour, asOf, charged } = balance;
  const rest = { project, perHour, accrued, asOf, soFar: charged + accrued };
  const given = await grants.grants(project);
  if (given.every(({ terms }) => terms === undefined)) {
    const left = balance.granted - charged - accrued - reserved;
    return { ...rest, granted: balance.granted, left };
  }
  const book = await grants.book(project);
  const { granted, left } = accountOf(book.grants, book.charges, at);
  return { ...rest, granted, left: left - accrued - reserved };
}

/** What was accrued and reserved then nobody remembers; whole hours are charged. */
async function pastAccount({ grants }: Deps, project: ProjectId, at: Instant): Promise<Account> {
  const book = await grants.book(project);
  const known = book.grants.filter(({ grantedAt }) => grantedAt <= at);
  const hour = utcHour(at);
  const charges = book.charges.filter((charge) => charge.hour < hour);
  const lastHour = charges.filter((charge) => charge.hour === hour - HOUR_MS);
  const sum = (list: readonly HourCharge[]): bigint =>
    list.reduce((total, { amount }) => total + amount, 0n);
  return {
    ...{ project, ...accountOf(known, charges, at), accrued: 0n },
    ...{ perHour: sum(lastHour), soFar: sum(charges), asOf: hour },
  };
}

/** Undefined for a project without a limit: it has nothing that could run out. */
async function accountAt(
  deps: Deps,
  project: ProjectId,
  at: Instant,
): Promise<Account | undefined> {
  const balance = await deps.ledger.balance(project, at);
  if (balance === undefined || balance.unlimited) return undefined;
  return isPast(deps, at)
    ? await pastAccount(deps, project, at)
    : await presentAccount(deps, project, balance, at);
}

function usedPercent({ granted, left, asOf }: Account): Told {
  const used = granted - left;
  const none = granted <= 0n;
  // A millionth of a percent is as exact as anybody reads.
  const value = none ? undefined : Number((used * 100_000_000n) / granted) / 1_000_000;
  return {
    value,
    why: none ? 'divided by zero: no grant holds now' : '',
    evidence: [
      seen(['credits used', value, '%'], 'ledger', asOf),
      seen(['credits granted', creditsOf(granted), 'credits'], 'ledger', asOf),
      seen(['credits used', creditsOf(used), 'credits'], 'ledger', asOf),
    ],
  };
}

function remaining({ left, asOf }: Account): Told {
  const value = creditsOf(left);
  return { value, why: '', evidence: [seen(['credits left', value, 'credits'], 'ledger', asOf)] };
}

async function burnRate(
  config: Config & { measure: 'burn-rate' },
  deps: Deps,
  { project, perHour, asOf }: Account,
  at: Instant,
): Promise<Told> {
  const until = utcHour(at);
  const window = { from: until - utcHour(config.trailing), until };
  const hours = await deps.spending.hourlySpending(project, window);
  const first = hours[0]?.hour ?? until;
  const count = (until - first) / HOUR_MS;
  const sum = hours.reduce((total, { amount }) => total + amount, 0n);
  const now = creditsOf(perHour);
  const mean = count === 0 ? 0 : creditsOf(sum) / count;
  const told = (value: number | undefined, why = ''): Told => ({
    value,
    why,
    evidence: [
      seen(['burn rate over its mean', value, 'times'], 'ledger', asOf),
      seen(['credits an hour', now, 'credits/h'], 'ledger', asOf),
      seen(['mean credits an hour', mean, 'credits/h'], 'charges', until),
    ],
  });
  if (now < config.minimum) return told(0);
  if (count < HOURS_MIN) {
    return told(undefined, `${count} hours of its past are known, ${HOURS_MIN} are needed`);
  }
  return mean <= 0
    ? told(undefined, 'divided by zero: nothing was charged before')
    : told(now / mean);
}

async function hoursLeft(
  { days }: Config & { measure: 'hours-left' },
  deps: Deps,
  { project, accrued, perHour, asOf }: Account,
  at: Instant,
): Promise<Told> {
  const book = await deps.grants.book(project);
  const charges = book.charges.filter(({ hour }) => hour <= at);
  const grants = book.grants.filter(({ grantedAt }) => grantedAt <= at);
  // Asked again within the hour, the same futures are drawn.
  const seed = Math.floor(at / HOUR_MS);
  const told = forecastEnd({ grants, charges, accrued, perHour, now: at, days, seed });
  const end = { ends: told.median, ended: at, lasts: told.until, unknown: undefined }[told.outcome];
  // A median beyond the horizon lasts at least until there.
  const until = told.outcome === 'ends' ? (end ?? told.until) : end;
  const value = until === undefined ? undefined : Math.max(0, until - at) / HOUR_MS;
  const source = `forecast from ${told.historyDays} days`;
  const why = value === undefined ? told.reason : '';
  return { value, why, evidence: [seen(['hours left', value, 'h'], source, asOf)] };
}

function told(config: Config, deps: Deps, account: Account, at: Instant): Told | Promise<Told> {
  switch (config.measure) {
    case 'used-percent':
      return usedPercent(account);
    case 'remaining':
      return remaining(account);
    case 'burn-rate':
      return burnRate(config, deps, account, at);
    case 'hours-left':
      return hoursLeft(config, deps, account, at);
  }
}

export function readBalance(config: Config, deps: Deps): ReadSubjects {
  return async (at, _limit, signal) => {
    const watermarks: Instant[] = [];
    const samples = await readProjects(deps, config.projects, signal, async (project) => {
      const account = await accountAt(deps, project, at);
      if (account === undefined) return [];
      watermarks.push(account.asOf);
      const sample: Sample = {
        labels: { project },
        project,
        target: { kind: 'project', cluster: '', id: project, startedAt: undefined },
        annotations: {
          left: formatCredits(account.left),
          granted: formatCredits(account.granted),
        },
        cost: {
          perHour: formatCredits(account.perHour),
          soFar: formatCredits(account.soFar),
        },
        ...(await told(config, deps, account, at)),
      };
      return [sample];
    });
    return wholeRead(samples, watermarks);
  };
}

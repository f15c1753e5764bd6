import { addQuantity, type Charge, NO_QUANTITY, type Quantity } from '../contracts/charge.ts';
import { divideHalfEven } from '../values/divide-half-even.ts';
import { formatInstant, type Instant } from '../values/instant.ts';
import { formatCredits } from '../values/money.ts';
import { type Month, monthOf } from '../values/month.ts';
import { BASE_STEP } from '../values/price-step.ts';
import type { ProjectId } from '../values/project-id.ts';

/** Which arithmetic makes a report out of charges; a changed one has another name. */
export const PERIOD_RULE_VERSION = 'period-1';

/** What a report is of. With the rows of the ledger it says everything. */
export interface PeriodQuestion {
  readonly project: ProjectId;
  readonly month: Month;
  /** Rows stored later are not in it. */
  readonly cutOff: Instant;
  /** When the month was closed, if it is: every row in its books was stored by then. */
  readonly closedAt: Instant | undefined;
  readonly ruleVersion: typeof PERIOD_RULE_VERSION;
}

interface Sums {
  rows: number;
  quantity: Quantity;
  base: bigint;
  surge: bigint;
  minimum: bigint;
  inferred: bigint;
}

const nothing = (): Sums => ({
  ...{ rows: 0, quantity: NO_QUANTITY },
  ...{ base: 0n, surge: 0n, minimum: 0n, inferred: 0n },
});

/**
 * Credits are exact decimals: amount = base + surge + minimum, and exact + inferred. `base` is what
 * the use costs at 1.00 X, rounded once a row, half to even; `surge` is the rest, negative where load
 * gave a discount. `minimum` is what was missing to minimum charges.
 */
function told({ rows, quantity, base, surge, minimum, inferred }: Sums) {
  const amount = base + surge + minimum;
  return {
    amount: formatCredits(amount),
    base: formatCredits(base),
    surge: formatCredits(surge),
    minimum: formatCredits(minimum),
    coverage: { exact: formatCredits(amount - inferred), inferred: formatCredits(inferred) },
    quantity: {
      containerMs: `${quantity.containerMs}`,
      millicoreMs: `${quantity.millicoreMs}`,
      mibMs: `${quantity.mibMs}`,
      gpuMs: `${quantity.gpuMs}`,
    },
    rows,
  };
}

export type PeriodSums = ReturnType<typeof told>;

export interface PeriodReport {
  readonly ruleVersion: string;
  readonly project: string;
  readonly month: Month;
  /** As it was at the cut-off. */
  readonly state: 'open' | 'closed';
  readonly cutOff: string;
  /** Which arithmetic made the charges. */
  readonly ratingRules: readonly string[];
  readonly total: PeriodSums;
  /** Hours of the month itself. */
  readonly charges: PeriodSums;
  /** What was learnt of earlier months after they were closed, by these. */
  readonly corrections: PeriodSums & {
    readonly months: readonly (PeriodSums & { readonly month: Month })[];
  };
  /** The total again, by application and role. */
  readonly applications: readonly (PeriodSums & {
    readonly cluster: string;
    readonly application: string;
    readonly roles: readonly (PeriodSums & { readonly role: string })[];
  })[];
}

/** Sums by key, and the sum of all. */
class Group {
  readonly all = nothing();
  readonly #by = new Map<string, { readonly sums: Sums; readonly charge: Charge }>();

  add(key: string, charge: Charge, parts: Pick<Sums, 'base' | 'surge' | 'minimum'>): void {
    const { sums } = this.#by.get(key) ?? { sums: nothing() };
    this.#by.set(key, { sums, charge });
    for (const sum of [sums, this.all]) {
      sum.rows += 1;
      sum.quantity = addQuantity(sum.quantity, charge.quantity);
      sum.base += parts.base;
      sum.surge += parts.surge;
      sum.minimum += parts.minimum;
      if (charge.coverage === 'inferred') sum.inferred += charge.amount;
    }
  }

  /** In the order of keys. */
  sorted(): { readonly sums: Sums; readonly charge: Charge }[] {
    return [...this.#by].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
  }
}

function partsOf({ kind, amount, step }: Charge): Pick<Sums, 'base' | 'surge' | 'minimum'> {
  if (kind === 'minimum') return { base: 0n, surge: 0n, minimum: amount };
  const base = divideHalfEven(amount * BigInt(BASE_STEP), BigInt(step));
  return { base, surge: amount - base, minimum: 0n };
}

/**
 * Makes the report of a month as rows come in, in any order. A function of the question and the set
 * of rows, to the last byte of its canonical JSON.
 */
export class PeriodTotals {
  readonly #question: PeriodQuestion;
  readonly #isClosed: boolean;
  readonly #cutOff: Instant;
  readonly #rules = new Set<string>();
  readonly #own = new Group();
  readonly #corrections = new Group();
  readonly #roles = new Group();
  readonly #applications = new Group();

  constructor(question: PeriodQuestion) {
    const { cutOff, closedAt } = question;
    this.#question = question;
    // After its close nothing more comes, so that every later cut-off is the same one.
    this.#isClosed = closedAt !== undefined && cutOff >= closedAt;
    this.#cutOff = Math.min(cutOff, closedAt ?? cutOff);
  }

  /** @param charge in the month's books; what was stored after the cut-off is passed over */
  add(charge: Charge): void {
    if (!this.#isClosed && charge.storedAt > this.#cutOff) return;
    const parts = partsOf(charge);
    const month = monthOf(charge.hour);
    const group = charge.booked === undefined ? this.#own : this.#corrections;
    group.add(month, charge, parts);
    const application = JSON.stringify([charge.cluster, charge.application]);
    this.#applications.add(application, charge, parts);
    this.#roles.add(
      JSON.stringify([charge.cluster, charge.application, charge.role]),
      charge,
      parts,
    );
    this.#rules.add(charge.ruleVersion);
  }

  report(): PeriodReport {
    const { project, month, ruleVersion } = this.#question;
    const roles = Map.groupBy(this.#roles.sorted(), ({ charge }) =>
      JSON.stringify([charge.cluster, charge.application]),
    );
    return {
      ruleVersion,
      project,
      month,
      state: this.#isClosed ? 'closed' : 'open',
      cutOff: formatInstant(this.#cutOff),
      ratingRules: [...this.#rules].sort(),
      total: told(this.#applications.all),
      charges: told(this.#own.all),
      corrections: {
        ...told(this.#corrections.all),
        months: this.#corrections
          .sorted()
          .map(({ sums, charge }) => ({ month: monthOf(charge.hour), ...told(sums) })),
      },
      applications: this.#applications.sorted().map(({ sums, charge }) => ({
        cluster: charge.cluster,
        application: charge.application,
        ...told(sums),
        roles: (roles.get(JSON.stringify([charge.cluster, charge.application])) ?? []).map(
          ({ sums: ofRole, charge: { role } }) => ({ role, ...told(ofRole) }),
        ),
      })),
    };
  }
}

/** The report of a month, of the rows in its books. */
export function periodReport(charges: Iterable<Charge>, question: PeriodQuestion): PeriodReport {
  const totals = new PeriodTotals(question);
  for (const charge of charges) totals.add(charge);
  return totals.report();
}

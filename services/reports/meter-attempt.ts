import { addQuantity, NO_QUANTITY, type Quantity } from '../../shared/contracts/charge.ts';
import {
  CONTAINER_ROLES,
  type ContainerRole,
  isInferredStop,
  type JournalFact,
} from '../../shared/contracts/container-fact.ts';
import type { UseRow } from '../../shared/contracts/cost-report.ts';
import {
  quantityOf,
  type ResourceInterval,
  rateIntervals,
  rateQuantity,
} from '../../shared/rating/rate-interval.ts';
import { DAY_MS } from '../../shared/values/instant.ts';
import type { Nanocredits } from '../../shared/values/money.ts';
import { BASE_STEP } from '../../shared/values/price-step.ts';
import type { RateCard } from '../../shared/values/rate-card.ts';

/** Beyond this no container lives; a log that claims so is rated in one piece, not hour by hour. */
const MAX_RATED_BY_HOUR_MS = 10 * 366 * DAY_MS;

/** As the ledger would charge it at the base price: rounded once for each UTC hour, or the minimum. */
function amountOf(interval: ResourceInterval, card: RateCard): Nanocredits {
  const used = useOf(interval, card);
  const { minimum = 0n } = card;
  return used < minimum && interval.end > interval.start ? minimum : used;
}

function useOf(interval: ResourceInterval, card: RateCard): Nanocredits {
  if (interval.end - interval.start > MAX_RATED_BY_HOUR_MS) {
    return rateQuantity(quantityOf(interval), BASE_STEP, card);
  }
  return rateIntervals([interval], [], card).reduce((sum, line) => sum + line.amount, 0n);
}

interface Use {
  containers: number;
  quantity: Quantity;
  amount: Nanocredits;
  inferred: Nanocredits;
}

/** Adds up what the containers of one attempt used, as their starts and stops come in. */
export class AttemptMeter {
  readonly #card: RateCard;
  readonly #started = new Map<string, Omit<ResourceInterval, 'end'>>();
  readonly #uses = new Map<ContainerRole, Use>();

  constructor(card: RateCard) {
    this.#card = card;
  }

  add(facts: readonly JournalFact[]): void {
    for (const fact of facts) {
      if (fact.kind === 'container-started') {
        this.#started.set(fact.container, { start: fact.at, resources: fact.resources });
      } else if (fact.kind === 'container-stopped') {
        const started = this.#started.get(fact.container);
        this.#started.delete(fact.container);
        if (started === undefined) continue;
        this.#use(fact.role, { ...started, end: fact.at }, isInferredStop(fact));
      }
    }
  }

  #use(role: ContainerRole, interval: ResourceInterval, isInferred: boolean): void {
    const before = this.#uses.get(role);
    const use = before ?? { containers: 0, quantity: NO_QUANTITY, amount: 0n, inferred: 0n };
    if (before === undefined) this.#uses.set(role, use);
    use.containers += 1;
    use.quantity = addQuantity(use.quantity, quantityOf(interval));
    const amount = amountOf(interval, this.#card);
    use.amount += amount;
    if (isInferred) use.inferred += amount;
  }

  /** One row for each role that had a container, in the order executor, driver, master. */
  rows(): UseRow[] {
    const order: readonly ContainerRole[] = ['executor', 'driver', 'application-master'];
    return [...order, ...CONTAINER_ROLES.filter((role) => !order.includes(role))].flatMap(
      (role) => {
        const use = this.#uses.get(role);
        return use === undefined ? [] : [{ role, ...use }];
      },
    );
  }
}

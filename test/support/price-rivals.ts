import type { LoadFact } from '../../shared/contracts/container-fact.ts';
import { evaluatePrice, NO_PRICE, type PriceState } from '../../shared/price/evaluate-price.ts';
import type { PriceRule } from '../../shared/price/price-rule.ts';
import type { Instant } from '../../shared/values/instant.ts';

/** A rule on trial: told a load every 10 s, it says the multiplier in force then. */
export interface PriceRival {
  readonly name: string;
  price(fact: LoadFact): number;
}

/**
 * Hops' rule: linear in the load of now, without smoothing, step or cap, charged from now on.
 * Source: hopshadoop/hops@90d5424d04, …/resourcemanager/quota/PriceMultiplicatorService.java.
 */
export class HopsPrice implements PriceRival {
  readonly name: string;
  readonly #increment: number;

  constructor(increment: number) {
    this.name = `Hops, increment ${increment}`;
    this.#increment = increment;
  }

  price({ allocated, pending, capacity }: LoadFact): number {
    const cores = (allocated.millicores + pending.millicores) / capacity.millicores;
    const memory = (allocated.memoryMib + pending.memoryMib) / Math.max(1, capacity.memoryMib);
    return 1 + Math.max(0, Math.max(cores, memory) - 0.2) * this.#increment;
  }
}

/** Ours, as the meter runs it: thought about each minute, in force when announced. */
export class LadderPrice implements PriceRival {
  readonly name: string;
  readonly #rule: PriceRule;
  #state: PriceState = NO_PRICE;
  #samples: LoadFact[] = [];
  #announced: { readonly start: Instant; readonly step: number }[] = [];
  #step = 1_000;

  constructor(name: string, rule: PriceRule) {
    this.name = name;
    this.#rule = rule;
  }

  price(fact: LoadFact): number {
    this.#samples.push(fact);
    const told = { samples: this.#samples, now: fact.at };
    const { state, epoch, evaluation } = evaluatePrice('trial', this.#state, told, this.#rule);
    this.#state = state;
    if (evaluation !== undefined) this.#samples = [];
    if (epoch !== undefined) this.#announced.push(epoch);
    const [next] = this.#announced;
    if (next !== undefined && next.start <= fact.at) {
      this.#step = next.step;
      this.#announced.shift();
    }
    return this.#step / 1_000;
  }
}

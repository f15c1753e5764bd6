import { Random } from '../../services/simulator/platform/random.ts';
import type { LoadFact } from '../../shared/contracts/container-fact.ts';
import { HOUR_MS } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { loadFact, T0 } from './fact-builders.ts';
import type { PriceRival } from './price-rivals.ts';

const TICK_MS = 10_000;
const TICKS_PER_HOUR = HOUR_MS / TICK_MS;
const SLOTS = 100;
const MEAN_JOB_TICKS = 90;
const PROJECTS = 8;
/** Users look at the price of a minute ago. */
const REACTION_TICKS = 6;
/** Demand follows price to this power. */
const ELASTICITY = -1.2;
/** Below the base price more come than would at it: offers are made for the cheapest price. */
const CHEAPEST = 0.5;
const OFFERS_AT_CHEAPEST = CHEAPEST ** ELASTICITY;
/** Every hour demand is higher for this many ticks. */
const BURST_TICKS = 60;
const BURST = 1.8;

/** A job that somebody would start in a tick if the price suits: at a price whose demand is `u`. */
interface Offer {
  readonly u: number;
  readonly ticks: number;
  readonly project: number;
}

/** What comes of a rule on a trace. */
export interface TrialResult {
  readonly name: string;
  readonly meanPrice: number;
  readonly maxPrice: number;
  readonly changesPerHour: number;
  readonly reversalsPerHour: number;
  /** Factor between the highest and the lowest price within ten minutes. */
  readonly worstMove: number;
  /** Demand over capacity. */
  readonly meanLoad: number;
  readonly p99Load: number;
  readonly overCapacity: number;
}

/**
 * Demand of two days as a trace: who would start what, tick by tick, whatever the price. Each hour
 * begins with a burst, days are busier than nights; the same for the same seed.
 */
export function demandTrace(seed: number, hours = 48): readonly (readonly Offer[])[] {
  const random = new Random(seed);
  return Array.from({ length: hours * TICKS_PER_HOUR }, (_, tick) => {
    const day = 0.7 - 0.35 * Math.cos((2 * Math.PI * tick) / (24 * TICKS_PER_HOUR));
    const burst = tick % TICKS_PER_HOUR < BURST_TICKS ? BURST : 1;
    const perTick = (SLOTS / MEAN_JOB_TICKS) * day * burst * OFFERS_AT_CHEAPEST;
    const offers: Offer[] = [];
    for (let at = random.exponential(1); at < perTick; at += random.exponential(1)) {
      const ticks = Math.ceil(random.exponential(MEAN_JOB_TICKS));
      offers.push({ u: random.next(), ticks, project: random.between(0, PROJECTS - 1) });
    }
    return offers;
  });
}

/** A load of a cluster of SLOTS cores: who came first runs, the others wait. */
function loadOf(tick: number, jobs: readonly Offer[]): LoadFact {
  const at = T0 + tick * TICK_MS;
  const running = Math.min(SLOTS, jobs.length);
  const waiting = new Map<number, number>();
  for (const { project } of jobs.slice(running)) {
    waiting.set(project, (waiting.get(project) ?? 0) + 1);
  }
  const cores = (count: number) => ({ millicores: count * 1_000, memoryMib: 0, gpus: 0 });
  const pendingBy = [...waiting].map(([project, count]) => ({
    project: `p${project}` as ProjectId,
    resources: cores(count),
  }));
  const pending = cores(jobs.length - running);
  return loadFact(at, running / SLOTS, { pending, pendingBy });
}

/** Plays a trace against a rule whose price the users answer to. */
export function tryPrice(rival: PriceRival, trace: ReturnType<typeof demandTrace>): TrialResult {
  let jobs: { offer: Offer; until: number }[] = [];
  const prices: number[] = [];
  const loads: number[] = [];
  for (const [tick, offers] of trace.entries()) {
    const seen = prices[tick - REACTION_TICKS] ?? 1;
    const taken = Math.max(CHEAPEST, seen) ** ELASTICITY / OFFERS_AT_CHEAPEST;
    jobs = jobs.filter(({ until }) => until > tick);
    for (const offer of offers) {
      if (offer.u < taken) jobs.push({ offer, until: tick + offer.ticks });
    }
    loads.push(jobs.length / SLOTS);
    prices.push(
      rival.price(
        loadOf(
          tick,
          jobs.map(({ offer }) => offer),
        ),
      ),
    );
  }
  return summary(rival.name, prices, loads);
}

/** Replays recorded load, to which nobody's price makes a difference. */
export function replayLoad(rival: PriceRival, facts: readonly LoadFact[]): TrialResult {
  const prices = facts.map((fact) => rival.price(fact));
  const loads = facts.map(({ allocated, pending, capacity }) => {
    return (allocated.millicores + pending.millicores) / Math.max(1, capacity.millicores);
  });
  return summary(rival.name, prices, loads);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function worstMove(prices: readonly number[]): number {
  let worst = 1;
  for (let end = 0; end < prices.length; end += 1) {
    const window = prices.slice(Math.max(0, end - 60), end + 1);
    worst = Math.max(worst, Math.max(...window) / Math.min(...window));
  }
  return worst;
}

/** @param prices one for each tick of 10 s, as the loads */
function summary(name: string, prices: readonly number[], loads: readonly number[]): TrialResult {
  const moves = prices.slice(1).map((price, i) => Math.sign(price - (prices[i] ?? price)));
  const changes = moves.filter((move) => move !== 0);
  const reversals = changes.filter((move, i) => i > 0 && move !== changes[i - 1]);
  const hours = prices.length / TICKS_PER_HOUR;
  const sorted = loads.toSorted((a, b) => a - b);
  return {
    name,
    meanPrice: mean(prices),
    maxPrice: prices.reduce((most, price) => Math.max(most, price), 0),
    changesPerHour: changes.length / hours,
    reversalsPerHour: reversals.length / hours,
    worstMove: worstMove(prices),
    meanLoad: mean(loads),
    p99Load: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
    overCapacity: loads.filter((load) => load > 1).length / loads.length,
  };
}

import type { z } from 'zod';
import type { PriceEpoch } from '../../../shared/contracts/charge.ts';
import type { restQuote, restQuoteRequest } from '../../../shared/contracts/rest-quote.ts';
import { promisedEpochs } from '../../../shared/price/price-promise.ts';
import { epochsFor } from '../../../shared/rating/fixed-price.ts';
import type { KeptQuote } from '../../../shared/stores/quote-store.ts';
import { DAY_MS, formatInstant, type Instant, MINUTE_MS } from '../../../shared/values/instant.ts';
import { formatCredits, type Nanocredits, parseCredits } from '../../../shared/values/money.ts';
import { BASE_STEP, formatPriceStep, type PriceStep } from '../../../shared/values/price-step.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import type { ApiDeps } from '../api-deps.ts';
import { badRequest } from '../http/bad-request.ts';
import { plannedResources } from '../planned-resources.ts';
import { formatMultiplier, toRestEpoch } from '../rest-money.ts';
import { type CheckedLimit, checkLimits } from './check-limits.ts';
import { evaluateQuote, type QuoteForecast } from './evaluate-quote.ts';
import { mapSpread, type Spread } from './forecast-cost.ts';
import { predictStart, type StartForecast } from './predict-start.ts';
import { PricePoints } from './price-points.ts';

type Deps = Pick<
  ApiDeps,
  | 'prices'
  | 'pools'
  | 'tariff'
  | 'fixedSteps'
  | 'quotes'
  | 'workloads'
  | 'quoting'
  | 'random'
  | 'clock'
>;
type Request = z.infer<typeof restQuoteRequest>;
type Answer = z.infer<typeof restQuote>;

/** Earlier runs that a forecast looks at. */
const RUNS_MAX = 14;
/** How far ahead a change can be announced. */
const AHEAD_MS = DAY_MS;

interface Asked {
  readonly project: ProjectId;
  readonly request: Request;
  readonly pool: string;
  readonly now: Instant;
  /** From now on, what is announced included. */
  readonly epochs: readonly PriceEpoch[];
  readonly step: PriceStep;
}

function wantedOf({ maxMultiplier, maxCost, deadline }: Request) {
  return {
    maxStep: maxMultiplier === undefined ? undefined : Math.round(Number(maxMultiplier) * 1_000),
    maxCost: maxCost === undefined ? undefined : parseCredits(maxCost),
    deadline: deadline === undefined ? undefined : Date.parse(deadline),
  };
}

/** What is promised, not kept yet; undefined where no lock is asked for. */
function promiseOf(deps: Deps, asked: Asked, quotedBy: string): KeptQuote | undefined {
  const { project, pool, now, step, request } = asked;
  if (request.lockMinutes === undefined) return undefined;
  const minutes = Math.min(request.lockMinutes, deps.quoting.lockMaxMinutes);
  return {
    // Lower case and short, as it becomes a tag of the application.
    id: deps.random(16).toString('hex'),
    ...{ project, pool, step, start: now, end: now + minutes * MINUTE_MS },
    application: request.application,
    quotedBy,
  };
}

function startMessage(start: StartForecast, max: PriceStep): string {
  const wanted = `at most ${formatPriceStep(max)}`;
  switch (start.state) {
    case 'now':
      return `the price is ${wanted} now`;
    case 'announced':
      return `a price of ${wanted} is announced for ${formatInstant(start.at)}`;
    case 'predicted': {
      const like = start.like === 'hour-of-week' ? 'hour of the week' : 'hour of the day';
      return `of ${start.cases} earlier times at this ${like}, the price came to ${wanted} as told`;
    }
    case 'unknown':
      return `it can't be told when the price comes to ${wanted}: ${start.cases} earlier times were as now`;
  }
}

function toRestStart(start: StartForecast, max: PriceStep): NonNullable<Answer['start']> {
  const { state } = start;
  const message = startMessage(start, max);
  if (state === 'unknown') return { state, at: null, earliest: null, latest: null, message };
  const at = formatInstant(start.at);
  if (state !== 'predicted') return { state, at, earliest: at, latest: at, message };
  const latest = start.latest === undefined ? null : formatInstant(start.latest);
  return { state, at, earliest: formatInstant(start.earliest), latest, message };
}

function toRestCost({ cost }: QuoteForecast, runs: number): Answer['cost'] {
  if (cost === undefined) return null;
  const { basis, range } = cost;
  const spread: Spread<Nanocredits> = cost;
  return { ...mapSpread(spread, formatCredits), range, basis, runs: basis === 'plan' ? 0 : runs };
}

function highest(epochs: readonly PriceEpoch[], now: Instant, until: Instant): PriceStep {
  const known = epochs.filter(({ start, end = until }) => start < until && end > now);
  return Math.max(...known.map(({ step }) => step));
}

/** Answers quotes, and keeps what they promise. */
export function quoter(
  deps: Deps,
): (project: ProjectId, request: Request, quotedBy: string) => Promise<Answer> {
  const points = new PricePoints(deps);

  async function ask(project: ProjectId, request: Request): Promise<Asked> {
    const { pool = deps.pools[0] ?? 'default' } = request;
    if (!deps.pools.includes(pool)) {
      const message = `is no pool; there are: ${deps.pools.join(', ')}`;
      throw badRequest([{ path: 'body.pool', message }]);
    }
    const now = deps.clock.now();
    const recorded = await deps.prices.epochs(pool, now, now + AHEAD_MS);
    const epochs = epochsFor(deps.fixedSteps.get(project), recorded);
    const step = epochs.findLast(({ start }) => start <= now)?.step ?? BASE_STEP;
    return { project, request, pool, now, epochs, step };
  }

  /** The history is read only where the price now and what is announced don't answer. */
  async function startOf(asked: Asked, max: PriceStep): Promise<StartForecast> {
    const { now, epochs, step, pool } = asked;
    const ahead = [{ start: now, step }, ...epochs.filter(({ start }) => start > now)];
    const soon = predictStart(ahead, now, max);
    // A price that the rate card fixes doesn't follow the pool's.
    if (soon.state !== 'unknown' || deps.fixedSteps.has(asked.project)) return soon;
    return predictStart([...(await points.of(pool)), ...ahead], now, max);
  }

  return async (project, request, quotedBy) => {
    const asked = await ask(project, request);
    const { now, pool, step } = asked;
    const promise = promiseOf(deps, asked, quotedBy);
    const epochs = promisedEpochs(asked.epochs, promise, { project, pool });
    const { history: name = request.application, tags = {} } = request;
    const runs = await deps.workloads.runs(project, { name, tags }, RUNS_MAX);
    const forecast = evaluateQuote({
      ...{ now, step, epochs, runs },
      card: deps.tariff.ofPool(pool).cardAt(now),
      resources: request.resources && plannedResources(request.resources),
      durationMs: request.minutes === undefined ? undefined : request.minutes * MINUTE_MS,
    });
    const wanted = wantedOf(request);
    const start = wanted.maxStep === undefined ? undefined : await startOf(asked, wanted.maxStep);
    const end = now + (forecast.durationMs?.high ?? 0);
    const highestStep = Math.max(step, highest(epochs, now, end));
    const limits = checkLimits({ ...forecast, now, nowStep: step, highestStep, start }, wanted);
    if (promise !== undefined) await deps.quotes.keep(promise, deps.quoting.locksMax);
    return toRest(asked, { promise, forecast, start, limits, runs: runs.length, deps });
  };
}

interface Given {
  readonly promise: KeptQuote | undefined;
  readonly forecast: QuoteForecast;
  readonly start: StartForecast | undefined;
  readonly limits: readonly CheckedLimit[];
  readonly runs: number;
  readonly deps: Deps;
}

function toRest(asked: Asked, { promise, forecast, start, limits, runs, deps }: Given): Answer {
  const { project, request, pool, now, step } = asked;
  const next = asked.epochs.find((epoch) => epoch.start > now);
  return {
    id: promise?.id ?? null,
    ...{ project, application: request.application, pool },
    price: {
      multiplier: formatMultiplier(step),
      next: next === undefined ? null : toRestEpoch(next),
      forecast: formatMultiplier(forecast.step),
    },
    locked:
      promise === undefined
        ? null
        : {
            multiplier: formatMultiplier(promise.step),
            from: formatInstant(promise.start),
            until: formatInstant(promise.end),
          },
    cost: toRestCost(forecast, runs),
    durationMs: forecast.durationMs ?? null,
    perHour: forecast.perHour === undefined ? null : formatCredits(forecast.perHour),
    fits: limits.every(({ state }) => state !== 'missed'),
    limits: [...limits],
    start:
      start === undefined
        ? null
        : toRestStart(start, Math.round(Number(request.maxMultiplier) * 1_000)),
    failMode: deps.quoting.failModes[project] ?? deps.quoting.failMode,
    asOf: formatInstant(now),
  };
}

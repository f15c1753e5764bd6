import { type FailMode, restQuote } from '../../../shared/contracts/rest-quote.ts';
import type { Clock } from '../../../shared/runtime/clock.ts';
import type { RandomBytes } from '../../../shared/tokens/api-token.ts';
import { MINUTE_MS } from '../../../shared/values/instant.ts';
import type { ControlPlane, Reached } from './control-plane.ts';
import type { FailModeCache } from './fail-mode-cache.ts';
import type { PlannedResources } from './plan-of-command.ts';
import { costText, minuteText, priceText, type Quote, startText } from './quote-text.ts';
import { reservationStep } from './reservation-lease.ts';
import type { RunEvents } from './run-events.ts';
import { quotedResources } from './run-options.ts';

/** What somebody wants to run, and under which conditions. */
export interface RunPlan {
  readonly project: string;
  /** Name by which its earlier runs are found. */
  readonly application: string;
  /** Name of its earlier runs, where another. */
  readonly history: string | undefined;
  readonly pool: string | undefined;
  readonly resources: PlannedResources | undefined;
  readonly minutes: number | undefined;
  /** `1.2`: not above this multiplier. */
  readonly maxPrice: string | undefined;
  /** Credits, decimal: not if it is expected to cost more, and no more is held. */
  readonly maxCost: string | undefined;
  /** ISO 8601: waits no longer. */
  readonly deadline: string | undefined;
  readonly wait: boolean;
  /** How long the price shall be promised; 0: not. */
  readonly lockMinutes: number;
  readonly leaseSeconds: number;
  /** Before what the project states. */
  readonly fail: FailMode | undefined;
}

export type Clearance =
  | {
      readonly go: true;
      /** Undefined where it starts without one, since Tollgate doesn't answer. */
      readonly reservation: string | undefined;
      readonly quote: string | undefined;
    }
  | { readonly go: false; readonly message: string };

/** How one attempt came out; one that waits says for what, once for each `about`. */
type Attempt =
  | Clearance
  | { readonly wait: string; readonly about: string; readonly waitMs: number };

interface GateDeps {
  readonly plane: ControlPlane;
  readonly clock: Clock;
  readonly events: RunEvents;
  readonly cache: FailModeCache;
  readonly random: RandomBytes;
}

/** Prices change on whole minutes, announced a minute ahead. */
const POLL_MS = 15_000;
const REFUSAL_WAIT_MAX_MS = 60_000;
/** Who waits for a price outlasts an outage of this. */
const OUTAGE_MAX_MS = 10 * MINUTE_MS;
/** A promise that ends sooner isn't worth starting under. */
const LOCK_LEFT_MS = MINUTE_MS;

const NOTHING: PlannedResources = { cores: 0, memoryMib: 0, gpus: 0, executors: 0, containers: 0 };

const stop = (message: string): Clearance => ({ go: false, message });

/** Lets a command start, refuses it, or has it wait: price, cost, and the project's limits. */
export class StartGate {
  readonly #deps: GateDeps;
  readonly #plan: RunPlan;
  readonly #warned = new Set<string>();
  #said = '';
  #price = '';
  #lock: { readonly id: string; readonly until: number } | undefined;
  #lastAnswer: number | undefined;
  #failMode: FailMode | undefined;

  constructor(deps: GateDeps, plan: RunPlan) {
    this.#deps = deps;
    this.#plan = plan;
  }

  async clear(signal: AbortSignal): Promise<Clearance> {
    const { clock, events } = this.#deps;
    const { wait, deadline } = this.#plan;
    const until = deadline === undefined ? Number.POSITIVE_INFINITY : Date.parse(deadline);
    for (;;) {
      const attempt = await this.#attempt(signal);
      if (signal.aborted) return 'go' in attempt && attempt.go ? attempt : stop('interrupted');
      if ('go' in attempt) return attempt;
      if (!wait) return stop(`${attempt.wait} (--wait waits for it)`);
      const left = until - clock.now();
      if (left <= 0) return stop(`${minuteText(deadline ?? '')} has come, and ${attempt.wait}`);
      if (attempt.about !== this.#said) events.info('waiting', `waiting: ${attempt.wait}`);
      this.#said = attempt.about;
      // Many who wait for one price don't all ask at once.
      const jitter = 0.8 + (this.#deps.random(1)[0] ?? 0) / 640;
      await clock.sleep(Math.min(left, attempt.waitMs * jitter), signal);
      if (signal.aborted) return stop('interrupted');
    }
  }

  async #attempt(signal: AbortSignal): Promise<Attempt> {
    const { cache, events, clock } = this.#deps;
    const quoted = await this.#quote(undefined, signal);
    if (quoted.kind === 'unreachable') return this.#away(quoted.message);
    if (quoted.kind === 'refused') return stop(quoted.message);
    const quote = quoted.body;
    const { failMode, asOf } = quote;
    if (failMode !== this.#failMode) await cache.write({ failMode, at: asOf });
    this.#failMode = failMode;
    this.#lastAnswer = clock.elapsed();
    const price = priceText(quote);
    if (price !== this.#price) {
      const { project, application } = this.#plan;
      const cost = `${application}: ${costText(quote)}`;
      events.info('price', `project ${project} pays ${price}; expected cost of ${cost}`);
    }
    this.#price = price;
    return this.#keptBack(quote) ?? (await this.#reserve(quote, signal));
  }

  /** What keeps it from starting at this price and cost; undefined for nothing. */
  #keptBack(quote: Quote): Attempt | undefined {
    for (const { kind, state, message } of quote.limits) {
      if (kind === 'max-multiplier' && state === 'missed') {
        const about = `${quote.price.multiplier}/${quote.start?.state}`;
        const wait = `${message}; ${startText(quote)}`;
        return { wait, about, waitMs: POLL_MS };
      }
      if (kind === 'max-cost' && state === 'missed') return stop(message);
      if (state === 'missed' || state === 'at-risk') this.#warnOnce(kind, message);
    }
    return undefined;
  }

  #warnOnce(kind: string, message: string): void {
    if (!this.#warned.has(kind)) this.#deps.events.warn(kind, message);
    this.#warned.add(kind);
  }

  #quote(lockMinutes: number | undefined, signal: AbortSignal): Promise<Reached<Quote>> {
    const { project, application, history, pool, resources, minutes } = this.#plan;
    const { maxPrice, maxCost, deadline } = this.#plan;
    const body = {
      ...{ project, application, history, pool, minutes, maxCost, deadline, lockMinutes },
      maxMultiplier: maxPrice,
      resources: quotedResources(resources),
    };
    const request = { method: 'POST', path: '/v1/quotes', body } as const;
    const { plane } = this.#deps;
    // Who waits asks again anyway.
    return this.#lastAnswer === undefined
      ? plane.patiently(request, restQuote, signal)
      : plane.call(request, restQuote, signal);
  }

  async #reserve(quote: Quote, signal: AbortSignal): Promise<Attempt> {
    const locked = await this.#locked(signal);
    if (locked !== undefined && 'wait' in locked) return locked;
    const { project, application, resources, leaseSeconds, maxPrice, maxCost } = this.#plan;
    const id = `run-${this.#deps.random(12).toString('hex')}`;
    const { containers: _, ...wanted } = resources ?? NOTHING;
    const body = {
      ...{ id, application, leaseSeconds, resources: wanted },
      // An unbounded job holds an hour of what it takes.
      maxCost: maxCost ?? quote.cost?.high ?? quote.perHour ?? '0',
      multiplierCap: maxPrice,
      quote: locked?.id,
    };
    const path = `/v1/projects/${encodeURIComponent(project)}/reservations`;
    const request = { method: 'POST', path, body } as const;
    const held = await this.#deps.plane.patiently(request, reservationStep, signal);
    if (held.kind === 'ok') {
      this.#deps.events.info('held', `${short(body.maxCost)} credits are held (${id})`);
      return { go: true, reservation: id, quote: locked?.id };
    }
    // The hold may have come about, and only its answer be lost: the lease keeper finds out.
    if (held.kind === 'unreachable') return this.#away(held.message, { id, quote: locked?.id });
    const { message, retryAfterMs } = held;
    if (retryAfterMs === undefined) return stop(message);
    return { wait: message, about: message, waitMs: Math.min(retryAfterMs, REFUSAL_WAIT_MAX_MS) };
  }

  /** The price that is promised; undefined without one. */
  async #locked(
    signal: AbortSignal,
  ): Promise<{ readonly id: string } | Exclude<Attempt, Clearance> | undefined> {
    const { clock, events } = this.#deps;
    if (this.#plan.lockMinutes === 0) return undefined;
    if (this.#lock !== undefined && this.#lock.until - clock.now() > LOCK_LEFT_MS)
      return this.#lock;
    const quoted = await this.#quote(this.#plan.lockMinutes, signal);
    if (quoted.kind !== 'ok') {
      events.warn('no-lock', `the price could not be locked: ${quoted.message}`);
      return undefined;
    }
    const { id, locked, limits, price } = quoted.body;
    if (id === null || locked === null) return undefined;
    const missed = limits.find(
      ({ kind, state }) => kind === 'max-multiplier' && state === 'missed',
    );
    if (missed !== undefined) {
      return { wait: missed.message, about: price.multiplier, waitMs: POLL_MS };
    }
    const until = `at most ${locked.multiplier} X until ${minuteText(locked.until)}`;
    events.info('locked', `the price is locked: ${until}`);
    this.#lock = { id, until: Date.parse(locked.until) };
    return this.#lock;
  }

  /** Tollgate doesn't answer: as the project stated, or the caller said. */
  async #away(
    why: string,
    tried: { readonly id?: string; readonly quote?: string | undefined } = {},
  ): Promise<Attempt> {
    const { plane, cache, events, clock } = this.#deps;
    const { fail, project, wait } = this.#plan;
    const away = `no Tollgate answers at ${plane.url} (${why})`;
    const waiting = { wait: away, about: 'away', waitMs: POLL_MS };
    const since = this.#lastAnswer;
    if (wait && since !== undefined && clock.elapsed() - since < OUTAGE_MAX_MS) return waiting;
    const told = await cache.read();
    const mode = fail ?? this.#failMode ?? told?.failMode ?? 'open';
    const by =
      fail !== undefined
        ? `--fail ${fail}`
        : told === undefined
          ? `nothing is known of project ${project}, which counts as open`
          : `project ${project} fails ${mode}, as told ${minuteText(told.at)}`;
    if (mode === 'closed') return wait ? waiting : stop(`${away}; ${by}`);
    events.warn('fail-open', `${away}; the command starts without a reservation: ${by}`);
    return { go: true, reservation: tried.id, quote: tried.quote };
  }
}

function short(credits: string): string {
  return credits.replace(/(\.\d{3})\d+$/, '$1');
}

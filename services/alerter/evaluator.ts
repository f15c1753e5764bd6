import { AppError } from '../../shared/errors/app-error.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { AlertStore, RuleHealth } from '../../shared/stores/alert-store.ts';
import type { HeldLease } from '../../shared/stores/held-lease.ts';
import type { Fence } from '../../shared/stores/lease.ts';
import type { Logger } from '../../shared/telemetry/logger.ts';
import type { Metrics } from '../../shared/telemetry/metrics.ts';
import type { Instant } from '../../shared/values/instant.ts';
import { alertDigest } from './alert-digest.ts';
import { type EvaluatorMetrics, evaluatorMetrics } from './evaluator-metrics.ts';
import { GroupedSaves } from './grouped-saves.ts';
import { OpenAlerts } from './open-alerts.ts';
import { readSignal } from './read-signal.ts';
import { RuleSchedule } from './rule-schedule.ts';
import { evaluateRule, withoutRule } from './rules/evaluate-rule.ts';
import { begunBy, findSubjects } from './rules/find-subjects.ts';
import { type Rule, sameCondition } from './rules/rule.ts';
import { NO_RULES, type RuleSet } from './rules/rule-set.ts';
import type { SignalConfig } from './rules/signal-config.ts';
import type { Reading, SignalReader } from './signals/signal.ts';

export interface EvaluatorDeps {
  /** The rules as they are now; looked at each second. */
  readonly rules: () => RuleSet;
  readonly readerOf: (signal: SignalConfig) => SignalReader;
  readonly store: AlertStore;
  /** Of EVALUATOR_LEASE, in the store's database; undefined where this process is alone. */
  readonly lease: HeldLease | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Evaluations at once. Default 16. */
  readonly parallel?: number;
  /** One that takes longer counts no longer among them, so that it delays no other. Default 1 s. */
  readonly slowAfterMs?: number;
  /** Longest that a signal is waited for. Default 30 s. */
  readonly timeoutMs?: number;
}

/** The right to evaluate. A process that died is followed within its time and a look. */
export const EVALUATOR_LEASE = { name: 'alerter/rules', ttlMs: 15_000 } as const;
const PARALLEL = 16;
/** Longest rest: rules and lease are looked at this often. */
const LOOK_MS = 1_000;
/** A term whose state can't be read, or whose lease can't be asked for, is tried again after this. */
const RETRY_MS = 2_000;

/** From taking over to losing it: what this process knows while it alone evaluates. */
interface Term {
  readonly fence: Fence | undefined;
  readonly open: OpenAlerts;
  readonly saves: GroupedSaves;
  readonly lastAt: Map<string, Instant>;
  readonly schedule: RuleSchedule;
  rules: RuleSet;
}

interface CachedReader {
  readonly version: string;
  readonly reader: SignalReader;
}

/** Evaluates each rule at its own rate while it holds the lease; alerts are kept in the store. */
export class Evaluator {
  readonly #deps: EvaluatorDeps;
  readonly #metrics: EvaluatorMetrics;
  readonly #readers = new Map<string, CachedReader>();
  readonly #running = new Set<Promise<void>>();
  #term: Term | undefined;
  #quick = 0;
  #wake = new AbortController();

  constructor(deps: EvaluatorDeps) {
    this.#deps = deps;
    this.#metrics = evaluatorMetrics(deps.metrics);
  }

  /** By how much the rule that waits longest is late; undefined while another process evaluates. */
  lagMs(): number | undefined {
    return this.#term?.schedule.lagMs(this.#deps.clock.elapsed());
  }

  /** Evaluates until the signal aborts, and waits for what has begun. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#deps;
    while (!signal.aborted) {
      let rest = LOOK_MS;
      try {
        const term = await this.#held();
        if (term !== undefined) {
          await this.#adopt(term);
          await this.#endOrphans(term);
          this.#begin(term, signal);
          rest = Math.min(rest, this.#untilNext(term));
        }
      } catch (error) {
        const known = error instanceof AppError;
        if (!known) logger.error({ err: error }, 'the evaluator failed; it goes on');
        else if (error.code === 'FENCED') this.#lose(this.#term);
        else logger.warn({ error: error.message }, 'the state of alerts is not reached');
        rest = RETRY_MS;
      }
      this.#wake = new AbortController();
      await clock.sleep(rest, AbortSignal.any([signal, this.#wake.signal]));
    }
    await Promise.all(this.#running);
    this.#term = undefined;
  }

  /** This process's term, begun where it isn't yet; undefined while another process has the lease. */
  async #held(): Promise<Term | undefined> {
    const { lease, store, clock, logger } = this.#deps;
    const fence = await lease?.fence();
    if (lease !== undefined && fence === undefined) {
      this.#lose(this.#term);
      return undefined;
    }
    if (this.#term !== undefined && this.#term.fence?.token === fence?.token) return this.#term;
    const [open, health] = [await store.open(clock.now()), await store.health()];
    this.#term = {
      fence,
      open: new OpenAlerts(open),
      saves: new GroupedSaves(store, fence),
      lastAt: new Map(health.map(({ rule, evaluatedAt }) => [rule, evaluatedAt])),
      schedule: new RuleSchedule(),
      rules: NO_RULES,
    };
    this.#metrics.active({}, 1);
    logger.info({ open: open.length }, 'this process evaluates the rules now');
    return this.#term;
  }

  #lose(term: Term | undefined): void {
    if (term === undefined || this.#term !== term) return;
    this.#term = undefined;
    this.#deps.lease?.lost();
    this.#metrics.active({}, 0);
    this.#deps.logger.info('another process evaluates the rules now');
  }

  /** Takes the rules as they are now. */
  async #adopt(term: Term): Promise<void> {
    const { clock } = this.#deps;
    const rules = this.#deps.rules();
    if (rules === term.rules) return;
    const [now, elapsed] = [clock.now(), clock.elapsed()];
    const health = refusedHealth(rules, now);
    if (health.length > 0) await term.saves.save({ alerts: [], transitions: [], health });
    term.schedule.adopt(rules.rules.values(), ({ name, everyMs }) => {
      const last = term.lastAt.get(name);
      const wait = last === undefined ? 0 : Math.min(everyMs, last + everyMs - now);
      return elapsed + Math.max(0, wait);
    });
    term.rules = rules;
    for (const name of this.#readers.keys()) if (!rules.rules.has(name)) this.#readers.delete(name);
    this.#metrics.rules({ state: 'loaded' }, rules.rules.size);
    this.#metrics.rules({ state: 'kept' }, rules.kept.size);
    this.#metrics.rules({ state: 'problem' }, rules.problems.length);
  }

  /**
   * Ends the alerts of rules that were taken away. While something in the files can't be read, a rule
   * that isn't there may stand in it.
   */
  async #endOrphans(term: Term): Promise<void> {
    const { rules, problems } = term.rules;
    const orphans = term.open.rules.filter((name) => !rules.has(name));
    if (orphans.length === 0 || problems.length > 0) return;
    const ended = orphans.flatMap((name) =>
      [...term.open.of(name).values()].map((one) => withoutRule(one, this.#deps.clock.now())),
    );
    const alerts = ended.map(({ alert }) => alert);
    const transitions = ended.flatMap((one) => one.transitions);
    await term.saves.save({ alerts, transitions, health: [] });
    term.open.put(alerts);
  }

  #begin(term: Term, signal: AbortSignal): void {
    const { clock, parallel = PARALLEL } = this.#deps;
    for (const rule of term.schedule.due(clock.elapsed())) {
      if (this.#quick >= parallel) break;
      this.#metrics.missed({}, term.schedule.begin(rule.name, clock.elapsed()));
      const running = this.#evaluate(rule, term, signal).finally(() => {
        this.#running.delete(running);
        this.#wake.abort();
      });
      this.#running.add(running);
    }
    this.#metrics.lag({}, term.schedule.lagMs(clock.elapsed()) / 1_000);
    this.#metrics.alerts({ state: 'pending' }, term.open.count.pending);
    this.#metrics.alerts({ state: 'firing' }, term.open.count.firing);
  }

  #untilNext({ schedule }: Term): number {
    const { clock, parallel = PARALLEL } = this.#deps;
    const next = schedule.nextMs();
    // Without a free place it is the end of an evaluation that wakes.
    if (next === undefined || this.#quick >= parallel) return LOOK_MS;
    return Math.max(1, next - clock.elapsed());
  }

  /** Never rejects. */
  async #evaluate(rule: Rule, term: Term, signal: AbortSignal): Promise<void> {
    const { clock, logger, slowAfterMs = 1_000, timeoutMs = 30_000 } = this.#deps;
    const place = this.#place(slowAfterMs, signal);
    const [at, startedMs] = [clock.now(), clock.elapsed()];
    const onFault = (error: unknown): void =>
      logger.error({ err: error, rule: rule.name }, 'a signal could not be read');
    const deps = { clock, timeoutMs, onFault };
    const { reading, done } = readSignal(() => this.#reader(rule), at, deps, signal);
    try {
      const read = await reading;
      if (signal.aborted) return;
      await this.#keep(rule, term, { reading: read, at, startedMs });
    } catch (error) {
      this.#failed(rule, term, error);
    } finally {
      place.free();
      // A reader that is still at it isn't asked again.
      void done.then(() => {
        term.schedule.end(rule.name);
        this.#wake.abort();
      });
    }
  }

  #failed(rule: Rule, term: Term, error: unknown): void {
    const { logger } = this.#deps;
    if (error instanceof AppError && error.code === 'FENCED') {
      this.#lose(term);
      return;
    }
    this.#metrics.evaluations({ outcome: 'unsaved' });
    if (error instanceof AppError) {
      logger.warn({ error: error.message, rule: rule.name }, 'an evaluation was not saved');
    } else {
      logger.error({ err: error, rule: rule.name }, 'an evaluation failed');
    }
  }

  /** A place among the evaluations that are quick so far. */
  #place(slowAfterMs: number, signal: AbortSignal): { free: () => void } {
    this.#quick += 1;
    const ended = new AbortController();
    let held = true;
    const free = (): void => {
      if (!held) return;
      held = false;
      this.#quick -= 1;
      ended.abort();
      this.#wake.abort();
    };
    void this.#deps.clock.sleep(slowAfterMs, AbortSignal.any([signal, ended.signal])).then(free);
    return { free };
  }

  #reader(rule: Rule): SignalReader {
    const cached = this.#readers.get(rule.name);
    if (cached !== undefined && sameCondition(cached.version, rule.version)) return cached.reader;
    const reader = this.#deps.readerOf(rule.signal);
    this.#readers.set(rule.name, { version: rule.version, reader });
    return reader;
  }

  /** Decides and saves; memory follows the store. */
  async #keep(
    rule: Rule,
    term: Term,
    read: { readonly reading: Reading; readonly at: Instant; readonly startedMs: number },
  ): Promise<void> {
    const { store, clock } = this.#deps;
    const found = findSubjects(rule, read.reading, alertDigest);
    const open = term.open.of(rule.name);
    const begun = begunBy(found, open);
    const ended = begun.length === 0 ? [] : await store.known(begun);
    const known = new Map([...open, ...ended.map((alert) => [alert.id, alert] as const)]);
    const lastAt = term.lastAt.get(rule.name);
    const { alerts, transitions, outcome, why } = evaluateRule({
      ...{ rule, known, found, lastAt },
      now: read.at,
    });
    if (!term.rules.rules.has(rule.name)) return;
    const durationMs = clock.elapsed() - read.startedMs;
    const health: RuleHealth = {
      ...{ rule: rule.name, ruleVersion: rule.version, evaluatedAt: read.at },
      ...{ outcome, why, durationMs },
    };
    await term.saves.save({ alerts, transitions, health: [health] });
    term.open.put(alerts);
    term.lastAt.set(rule.name, read.at);
    this.#metrics.evaluations({ outcome });
    this.#metrics.seconds({}, durationMs / 1_000);
    for (const { to } of transitions) this.#metrics.transitions({ to });
  }
}

/** Rules that can't be evaluated are told of where the others are. */
function refusedHealth({ rules, problems }: RuleSet, now: Instant): RuleHealth[] {
  const health = new Map<string, RuleHealth>();
  for (const { rule, file, line, message } of problems) {
    if (rule === undefined || rules.has(rule) || health.has(rule)) continue;
    const why = `${file}:${line} ${message}`;
    const base = { rule, ruleVersion: '', evaluatedAt: now, durationMs: 0 };
    health.set(rule, { ...base, outcome: 'error', why });
  }
  return [...health.values()];
}

import type { Alert } from '../../../shared/contracts/alert.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import { evaluateRule } from '../rules/evaluate-rule.ts';
import { findSubjects } from '../rules/find-subjects.ts';
import type { Digest, Rule } from '../rules/rule.ts';
import type { Reading } from '../signals/signal.ts';

export interface TimelineDeps {
  readonly rules: readonly Rule[];
  readonly start: Instant;
  readonly digest: Digest;
  readonly read: (rule: Rule, at: Instant) => Reading;
}

/** Rules in virtual time: each is evaluated at the start, and then at its own rate. */
export class RuleTimeline {
  readonly #deps: TimelineDeps;
  readonly #alerts = new Map<string, Map<string, Alert>>();
  readonly #nextAt = new Map<string, Instant>();

  constructor(deps: TimelineDeps) {
    this.#deps = deps;
    for (const { name } of deps.rules) {
      this.#alerts.set(name, new Map());
      this.#nextAt.set(name, deps.start);
    }
  }

  /** Evaluates all that is due up to `until`, itself included. */
  advance(until: Instant): void {
    for (const rule of this.#deps.rules) {
      let at = this.#nextAt.get(rule.name) ?? this.#deps.start;
      for (; at <= until; at += rule.everyMs) this.#evaluate(rule, at);
      this.#nextAt.set(rule.name, at);
    }
  }

  /** All that ever were, ended ones included. */
  alerts(): Alert[] {
    return [...this.#alerts.values()].flatMap((ofRule) => [...ofRule.values()]);
  }

  #evaluate(rule: Rule, now: Instant): void {
    const { read, digest, start } = this.#deps;
    const known = this.#alerts.get(rule.name) ?? new Map<string, Alert>();
    const found = findSubjects(rule, read(rule, now), digest);
    const lastAt = now === start ? undefined : now - rule.everyMs;
    const { alerts } = evaluateRule({ rule, known, found, now, lastAt });
    for (const alert of alerts) known.set(alert.id, alert);
  }
}

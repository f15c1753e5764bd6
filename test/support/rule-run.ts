import { evaluateRule, type RuleOutcome } from '../../services/alerter/rules/evaluate-rule.ts';
import { begunBy, findSubjects } from '../../services/alerter/rules/find-subjects.ts';
import { isOpen } from '../../services/alerter/rules/next-alert.ts';
import type { Rule } from '../../services/alerter/rules/rule.ts';
import type { Reading, Sample } from '../../services/alerter/signals/signal.ts';
import type { Alert } from '../../shared/contracts/alert.ts';
import type { AlertTransition } from '../../shared/stores/alert-store.ts';
import type { Instant } from '../../shared/values/instant.ts';
import { testDigest } from './rule-builders.ts';

export function answered(
  samples: readonly Sample[],
  more: { readonly watermark?: Instant; readonly complete?: boolean } = {},
): Reading {
  return { outcome: 'answered', samples, watermark: undefined, complete: true, ...more };
}

/** One rule over time: what it keeps in memory, and what a store would keep beside it. */
export class RuleRun {
  rule: Rule;
  readonly stored = new Map<string, Alert>();
  readonly transitions: AlertTransition[] = [];
  #memory = new Map<string, Alert>();
  #lastAt: Instant | undefined;

  constructor(rule: Rule) {
    this.rule = rule;
  }

  /** Memory is lost; what is open comes back from the store, as JSON. */
  restart(): void {
    const open = [...this.stored.values()].filter(isOpen);
    this.#memory = new Map(
      open.map((alert) => [alert.id, { ...blank, ...JSON.parse(JSON.stringify(alert)) }]),
    );
  }

  evaluate(now: Instant, reading: Reading): RuleOutcome {
    const found = findSubjects(this.rule, reading, testDigest);
    const known = new Map(this.#memory);
    for (const id of begunBy(found, known)) {
      const ended = this.stored.get(id);
      if (ended !== undefined) known.set(id, ended);
    }
    const lastAt = this.#lastAt;
    const outcome = evaluateRule({ rule: this.rule, known, found, now, lastAt });
    for (const alert of outcome.alerts) {
      this.stored.set(alert.id, alert);
      if (isOpen(alert)) this.#memory.set(alert.id, alert);
      else this.#memory.delete(alert.id);
    }
    this.transitions.push(...outcome.transitions);
    this.#lastAt = now;
    return outcome;
  }

  /** Its alerts, by the project in their labels. */
  alert(project: string): Alert | undefined {
    return [...this.stored.values()].find(({ labels }) => labels['project'] === project);
  }

  state(project: string): string {
    return this.alert(project)?.state ?? 'inactive';
  }
}

/** What JSON leaves out. */
const blank = {
  project: undefined,
  value: undefined,
  cost: undefined,
  firedAt: undefined,
  endedAt: undefined,
  clearingSince: undefined,
  missingSince: undefined,
};

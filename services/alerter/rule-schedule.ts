import type { Rule } from './rules/rule.ts';

interface Turn {
  rule: Rule;
  /** By the monotonic clock. */
  dueAtMs: number;
  busy: boolean;
  /** Taken away while it was busy: until that ends it may not begin again under its name. */
  gone: boolean;
}

/** When each rule is evaluated: at a fixed rate of its own, never twice at once. Times never go back. */
export class RuleSchedule {
  readonly #turns = new Map<string, Turn>();

  /**
   * Takes the rules as they are now.
   *
   * @param firstDueMs when a rule that is new here is due
   */
  adopt(rules: Iterable<Rule>, firstDueMs: (rule: Rule) => number): void {
    const names = new Set<string>();
    for (const rule of rules) {
      names.add(rule.name);
      const turn = this.#turns.get(rule.name);
      if (turn === undefined) {
        this.#turns.set(rule.name, { rule, dueAtMs: firstDueMs(rule), busy: false, gone: false });
      } else {
        // A shorter interval counts at once.
        if (rule.everyMs < turn.rule.everyMs) {
          turn.dueAtMs = Math.min(turn.dueAtMs, firstDueMs(rule));
        }
        turn.rule = rule;
        turn.gone = false;
      }
    }
    for (const [name, turn] of this.#turns) {
      if (names.has(name)) continue;
      if (turn.busy) turn.gone = true;
      else this.#turns.delete(name);
    }
  }

  /** Rules that may begin now, those that wait longest first. */
  due(nowMs: number): Rule[] {
    const ready = [...this.#turns.values()].filter(
      ({ dueAtMs, busy }) => !busy && dueAtMs <= nowMs,
    );
    return ready.sort((a, b) => a.dueAtMs - b.dueAtMs).map(({ rule }) => rule);
  }

  /** @returns how many whole turns it has missed */
  begin(name: string, nowMs: number): number {
    const turn = this.#turns.get(name);
    if (turn === undefined) return 0;
    const missed = Math.floor((nowMs - turn.dueAtMs) / turn.rule.everyMs);
    turn.dueAtMs += (missed + 1) * turn.rule.everyMs;
    turn.busy = true;
    return missed;
  }

  end(name: string): void {
    const turn = this.#turns.get(name);
    if (turn === undefined) return;
    turn.busy = false;
    if (turn.gone) this.#turns.delete(name);
  }

  /** When the next rule that isn't busy is due; undefined without any. */
  nextMs(): number | undefined {
    const free = [...this.#turns.values()].filter(({ busy }) => !busy);
    return free.length === 0 ? undefined : Math.min(...free.map(({ dueAtMs }) => dueAtMs));
  }

  /** By how much the rule that waits longest is late, busy ones included. */
  lagMs(nowMs: number): number {
    let lag = 0;
    for (const { dueAtMs, gone } of this.#turns.values()) {
      if (!gone) lag = Math.max(lag, nowMs - dueAtMs);
    }
    return lag;
  }
}

import type { Alert } from '../../shared/contracts/alert.ts';
import { isOpen } from './rules/next-alert.ts';

const NONE: ReadonlyMap<string, Alert> = new Map();

/** Pending and firing alerts by rule, as the store has them. */
export class OpenAlerts {
  readonly #byRule = new Map<string, Map<string, Alert>>();
  readonly #count = { pending: 0, firing: 0 };

  constructor(alerts: readonly Alert[]) {
    this.put(alerts);
  }

  /** By id. */
  of(rule: string): ReadonlyMap<string, Alert> {
    return this.#byRule.get(rule) ?? NONE;
  }

  get rules(): string[] {
    return [...this.#byRule.keys()];
  }

  get count(): Readonly<Record<'pending' | 'firing', number>> {
    return this.#count;
  }

  /** Takes alerts as they were saved; ended ones leave. */
  put(alerts: readonly Alert[]): void {
    for (const alert of alerts) {
      const ofRule = this.#byRule.get(alert.rule) ?? new Map<string, Alert>();
      this.#tally(ofRule.get(alert.id), -1);
      ofRule.delete(alert.id);
      if (isOpen(alert)) {
        ofRule.set(alert.id, alert);
        this.#tally(alert, 1);
      }
      if (ofRule.size === 0) this.#byRule.delete(alert.rule);
      else this.#byRule.set(alert.rule, ofRule);
    }
  }

  #tally(alert: Alert | undefined, by: number): void {
    if (alert?.state === 'pending' || alert?.state === 'firing') this.#count[alert.state] += by;
  }
}

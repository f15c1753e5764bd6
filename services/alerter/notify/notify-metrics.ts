import type { Metrics } from '../../../shared/telemetry/metrics.ts';
import type { NotifyPlan } from './notify-state.ts';

/** What the notifier says of itself. */
export class NotifyMetrics {
  readonly #told: ReturnType<Metrics['counter']>;
  readonly #rounds: ReturnType<Metrics['counter']>;
  readonly #suppressed: ReturnType<Metrics['gauge']>;
  readonly #groups: ReturnType<Metrics['gauge']>;
  readonly #active: ReturnType<Metrics['gauge']>;

  constructor(metrics: Metrics) {
    this.#told = metrics.counter(
      'tollgate_notifications_total',
      'Messages put into the outbox, by reason.',
    );
    this.#rounds = metrics.counter(
      'tollgate_notify_rounds_total',
      'Rounds of the notifier, by outcome.',
    );
    this.#suppressed = metrics.gauge(
      'tollgate_alerts_suppressed',
      'Firing alerts that are told to nobody, by what keeps them.',
    );
    this.#groups = metrics.gauge(
      'tollgate_notify_groups',
      'Groups that receivers have heard of and that are not over.',
    );
    this.#active = metrics.gauge('tollgate_notifier_active', '1 where this process notifies.');
  }

  round(outcome: 'standby' | 'quiet' | 'told' | 'failed'): void {
    this.#rounds({ outcome });
    this.#active({}, outcome === 'quiet' || outcome === 'told' ? 1 : 0);
  }

  planned({ drafts, suppressed }: NotifyPlan, groups: number): void {
    for (const { reason } of drafts) this.#told({ reason });
    for (const [by, alerts] of Object.entries(suppressed)) this.#suppressed({ by }, alerts);
    this.#groups({}, groups);
  }
}

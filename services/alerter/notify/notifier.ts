import { occurrenceOf } from '../../../shared/contracts/alert.ts';
import type { Consequence, Notification } from '../../../shared/contracts/notification.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { Clock } from '../../../shared/runtime/clock.ts';
import type { HeldLease } from '../../../shared/stores/held-lease.ts';
import type { Fence } from '../../../shared/stores/lease.ts';
import type { OutboxStore } from '../../../shared/stores/outbox-store.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';
import type { Metrics } from '../../../shared/telemetry/metrics.ts';
import { DAY_MS, HOUR_MS, type Instant, SECOND_MS } from '../../../shared/values/instant.ts';
import type { NotificationDraft } from './notification-draft.ts';
import { NotifyMetrics } from './notify-metrics.ts';
import type { NotifyPlan } from './notify-state.ts';
import { NotifyTenure, type TenureStores } from './notify-tenure.ts';
import { planNotifications } from './plan-notifications.ts';
import type { Policy } from './policy.ts';

const ROUND_MS = SECOND_MS;
const FORGET_EVERY_MS = HOUR_MS;
/** What is over stays for people to read as long as that. */
const KEPT_MS = 90 * DAY_MS;

export interface NotifierDeps {
  readonly stores: TenureStores & { readonly outbox: OutboxStore };
  /** `alerter/notify`, of the store's own leases: one notifier at a time. */
  readonly lease: HeldLease;
  /** What enforcement has scheduled for an occurrence of an alert. */
  readonly consequencesOf: (occurrence: string) => Promise<readonly Consequence[]>;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Tells of alerts: each round it reads what is, plans, and writes messages and log in one
 * transaction. A crash at any point loses and repeats nothing: what wasn't written is planned again,
 * and what was is in the log.
 */
export class Notifier {
  readonly #deps: NotifierDeps;
  readonly #metrics: NotifyMetrics;
  #policy: Policy;
  #tenure: { readonly token: bigint; readonly known: NotifyTenure } | undefined;
  #forgotAt: Instant | undefined;

  constructor(deps: NotifierDeps) {
    this.#deps = deps;
    this.#policy = deps.policy;
    this.#metrics = new NotifyMetrics(deps.metrics);
  }

  /** From the next round on. Groups that no route makes any more are told of their alerts' ends. */
  reload(policy: Policy): void {
    this.#policy = policy;
  }

  /** A round each second until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#deps;
    while (!signal.aborted) {
      try {
        await this.round();
      } catch (error) {
        // Whatever is wrong, the next round may find it mended; standing still tells nobody.
        const message = error instanceof Error ? error.message : String(error);
        if (error instanceof AppError) logger.warn({ error: message }, 'alerts were not told');
        else logger.error({ err: error }, 'alerts were not told');
      }
      await clock.sleep(ROUND_MS, signal);
    }
  }

  /**
   * Tells of what is due.
   *
   * @throws AppError of the stores; the round is done again by the next one
   */
  async round(): Promise<void> {
    try {
      this.#metrics.round(await this.#round());
    } catch (error) {
      this.#tenure = undefined;
      this.#metrics.round('failed');
      if (!(error instanceof AppError) || error.code !== 'FENCED') throw error;
      this.#deps.lease.lost();
    }
  }

  async #round(): Promise<'standby' | 'quiet' | 'told'> {
    const { lease, clock } = this.#deps;
    const fence = await lease.fence();
    if (fence === undefined) {
      this.#tenure = undefined;
      return 'standby';
    }
    const now = clock.now();
    const known = await this.#tenureUnder(fence, now);
    const plan = planNotifications(this.#policy, await known.state(this.#policy, now));
    await this.#write(plan, fence);
    known.wrote(plan);
    this.#metrics.planned(plan, known.groups);
    await this.#forget(now);
    return plan.drafts.length > 0 ? 'told' : 'quiet';
  }

  async #tenureUnder({ token }: Fence, now: Instant): Promise<NotifyTenure> {
    if (this.#tenure?.token === token) return this.#tenure.known;
    const known = await NotifyTenure.begin(this.#deps.stores, now);
    this.#tenure = { token, known };
    return known;
  }

  async #write(plan: NotifyPlan, fence: Fence): Promise<void> {
    const { drafts, groups, closed, statuses, cleared } = plan;
    const changes = [drafts, groups, closed, statuses, cleared];
    if (changes.every((list) => list.length === 0)) return;
    const notifications: Notification[] = [];
    for (const draft of drafts) notifications.push(await this.#withConsequences(draft));
    const round = { notifications, groups, closed, statuses, cleared };
    await this.#deps.stores.notificationLog.commit(round, fence);
  }

  async #withConsequences(draft: NotificationDraft): Promise<Notification> {
    const { consequencesOf } = this.#deps;
    const firing = await Promise.all(
      draft.firing.map(async (alert) => ({
        alert,
        consequences: await consequencesOf(occurrenceOf(alert)),
      })),
    );
    const ended = draft.ended.map((alert) => ({ alert, consequences: [] }));
    return { ...draft, firing, ended };
  }

  async #forget(now: Instant): Promise<void> {
    if (this.#forgotAt !== undefined && now - this.#forgotAt < FORGET_EVERY_MS) return;
    this.#forgotAt = now;
    const { alerts, silences, outbox } = this.#deps.stores;
    await alerts.forget(now - KEPT_MS);
    await silences.forget(now - KEPT_MS);
    await outbox.forget(now - KEPT_MS);
  }
}

import type { Alert } from '../../../shared/contracts/alert.ts';
import type { AlertStatus, NotifiedGroup } from '../../../shared/stores/notification-log.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import type { NotificationDraft } from '../notify/notification-draft.ts';
import { planNotifications } from '../notify/plan-notifications.ts';
import type { Policy } from '../notify/policy.ts';
import type { RuleTimeline } from './rule-timeline.ts';

/** From one round of telling to the next; in production it is a second. */
export const NOTICE_ROUND_MS = 5_000;

/** Alerts and what is told of them, in virtual time; nothing is silenced, all of it is from the start. */
export class NoticeTimeline {
  readonly #rules: RuleTimeline;
  readonly #policy: Policy;
  readonly #groups = new Map<string, NotifiedGroup>();
  readonly #statuses = new Map<string, AlertStatus>();
  #nextAt: Instant;
  #firings: { readonly alert: string; readonly at: Instant }[] = [];
  #drafts: NotificationDraft[] = [];

  constructor(rules: RuleTimeline, policy: Policy, start: Instant) {
    this.#rules = rules;
    this.#policy = policy;
    this.#nextAt = start;
  }

  /** Plays all that is due up to `until`, itself included. */
  advance(until: Instant): void {
    for (; this.#nextAt <= until; this.#nextAt += NOTICE_ROUND_MS) {
      const now = this.#nextAt;
      this.#rules.advance(now);
      this.#round(now, this.#rules.alerts());
    }
    this.#rules.advance(until);
  }

  /** What was told since it was asked last. */
  take(): NotificationDraft[] {
    const drafts = this.#drafts;
    this.#drafts = [];
    return drafts;
  }

  #flapping(now: Instant, alerts: readonly Alert[]): Set<string> {
    const { within, times } = this.#policy.config.flapping;
    for (const { id: alert, firedAt } of alerts) {
      const isNew = !this.#firings.some((one) => one.alert === alert && one.at === firedAt);
      if (firedAt !== undefined && isNew) this.#firings.push({ alert, at: firedAt });
    }
    this.#firings = this.#firings.filter(({ at }) => at >= now - within);
    const often = Map.groupBy(this.#firings, ({ alert }) => alert);
    return new Set([...often].flatMap(([alert, all]) => (all.length >= times ? [alert] : [])));
  }

  #round(now: Instant, alerts: readonly Alert[]): void {
    const plan = planNotifications(this.#policy, {
      ...{ now, alerts, groups: this.#groups, statuses: this.#statuses, silences: [] },
      flapping: this.#flapping(now, alerts),
      warmingUp: false,
    });
    for (const key of plan.closed) this.#groups.delete(key);
    for (const group of plan.groups) this.#groups.set(group.groupKey, group);
    for (const alert of plan.cleared) this.#statuses.delete(alert);
    for (const status of plan.statuses) this.#statuses.set(status.alert, status);
    this.#drafts.push(...plan.drafts);
  }
}

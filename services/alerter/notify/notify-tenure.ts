import type { Alert } from '../../../shared/contracts/alert.ts';
import type { AlertStore } from '../../../shared/stores/alert-store.ts';
import type {
  AlertStatus,
  NotificationLog,
  NotifiedGroup,
} from '../../../shared/stores/notification-log.ts';
import type { Silence, SilenceStore } from '../../../shared/stores/silence-store.ts';
import { canonicalJson } from '../../../shared/values/canonical-json.ts';
import { DAY_MS, type Instant, MINUTE_MS } from '../../../shared/values/instant.ts';
import type { NotifyPlan, NotifyState } from './notify-state.ts';
import type { Policy } from './policy.ts';

/** The end of a silence is told with the next message, which a silence of a day may have kept long. */
const SILENCES_BACK_MS = 7 * DAY_MS;

export interface TenureStores {
  readonly alerts: AlertStore;
  readonly silences: SilenceStore;
  readonly notificationLog: NotificationLog;
}

/**
 * What one holder of the lease knows. Nobody else writes the log meanwhile, so that it is read once;
 * alerts are read again when some process has saved any.
 */
export class NotifyTenure {
  readonly #stores: TenureStores;
  readonly #startedAt: Instant;
  readonly #groups: Map<string, NotifiedGroup>;
  readonly #statuses: Map<string, AlertStatus>;
  #alerts: readonly Alert[] = [];
  #revision: bigint | undefined;
  #flapping: ReadonlySet<string> = new Set();
  #flappingAt: Instant = 0;
  #silences = new Map<string, { readonly text: string; readonly silence: Silence }>();
  #warm = false;

  private constructor(
    stores: TenureStores,
    startedAt: Instant,
    log: { readonly groups: readonly NotifiedGroup[]; readonly statuses: readonly AlertStatus[] },
  ) {
    this.#stores = stores;
    this.#startedAt = startedAt;
    this.#groups = new Map(log.groups.map((group) => [group.groupKey, group]));
    this.#statuses = new Map(log.statuses.map((status) => [status.alert, status]));
  }

  static async begin(stores: TenureStores, now: Instant): Promise<NotifyTenure> {
    const { notificationLog } = stores;
    const [groups, statuses] = await Promise.all([
      notificationLog.groups(),
      notificationLog.statuses(),
    ]);
    return new NotifyTenure(stores, now, { groups, statuses });
  }

  get groups(): number {
    return this.#groups.size;
  }

  async state(policy: Policy, now: Instant): Promise<NotifyState> {
    await this.#readAlerts(policy, now);
    return {
      now,
      alerts: this.#alerts,
      groups: this.#groups,
      statuses: this.#statuses,
      silences: await this.#readSilences(now),
      flapping: this.#flapping,
      warmingUp: !(await this.#isWarm(policy, now)),
    };
  }

  /** What was planned is written. */
  wrote({ groups, closed, statuses, cleared }: NotifyPlan): void {
    for (const key of closed) this.#groups.delete(key);
    for (const group of groups) this.#groups.set(group.groupKey, group);
    for (const alert of cleared) this.#statuses.delete(alert);
    for (const status of statuses) this.#statuses.set(status.alert, status);
  }

  async #readAlerts(policy: Policy, now: Instant): Promise<void> {
    const { alerts } = this.#stores;
    const revision = await alerts.revision();
    const { within, times } = policy.config.flapping;
    if (revision === this.#revision && now - this.#flappingAt < MINUTE_MS) return;
    this.#flapping = await alerts.firedOften(now - within, times);
    this.#flappingAt = now;
    if (revision === this.#revision) return;
    const open = await alerts.open(now);
    const ids = new Set(open.map(({ id }) => id));
    const told = [...this.#groups.values()].flatMap(({ firing }) => Object.keys(firing));
    const over = await alerts.known(told.filter((id) => !ids.has(id)));
    this.#alerts = [...open, ...over];
    this.#revision = revision;
  }

  /** The same object while a silence stays as it is, since its patterns are compiled once. */
  async #readSilences(now: Instant): Promise<Silence[]> {
    const read = await this.#stores.silences.silences(now - SILENCES_BACK_MS);
    const kept = read.map((silence) => {
      const text = canonicalJson(silence);
      const known = this.#silences.get(silence.id);
      return known?.text === text ? known : { text, silence };
    });
    this.#silences = new Map(kept.map((one) => [one.silence.id, one]));
    return kept.map(({ silence }) => silence);
  }

  /** Every rule was looked at since the start, or there was time enough for it. */
  async #isWarm({ config }: Policy, now: Instant): Promise<boolean> {
    if (this.#warm) return true;
    const health = await this.#stores.alerts.health();
    const isWhole =
      health.length > 0 && health.every(({ evaluatedAt }) => evaluatedAt >= this.#startedAt);
    this.#warm = isWhole || now >= this.#startedAt + config.warm_up;
    return this.#warm;
  }
}

import assert from 'node:assert/strict';
import type { z } from 'zod';
import { notifyConfig } from '../../services/alerter/notify/config.ts';
import { Notifier } from '../../services/alerter/notify/notifier.ts';
import { compilePolicy, type Policy } from '../../services/alerter/notify/policy.ts';
import type { Alert } from '../../shared/contracts/alert.ts';
import type { Consequence, Notification } from '../../shared/contracts/notification.ts';
import { AppError } from '../../shared/errors/app-error.ts';
import type { RuleHealth } from '../../shared/stores/alert-store.ts';
import { HeldLease } from '../../shared/stores/held-lease.ts';
import type { NotificationLog } from '../../shared/stores/notification-log.ts';
import type { Silence } from '../../shared/stores/silence-store.ts';
import {
  type AlertStores,
  openSqliteAlertStores,
} from '../../shared/stores/sql/open-alert-stores.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { Metrics } from '../../shared/telemetry/metrics.ts';
import { type Instant, parseInstant } from '../../shared/values/instant.ts';
import { anAlert, aSilence, ended } from './alert-builders.ts';
import { FakeClock } from './fake-clock.ts';

const DAY = '2026-11-20';
export const LEASE_MS = 20_000;

type ConfigInput = z.input<typeof notifyConfig>;

/** `10:05`, `10:05:30`, or with a day before it, as an instant. */
export function instantOf(text: string): Instant {
  const [time = '', day = DAY] = text.split(' ').reverse();
  const at = parseInstant(`${day}T${time}${time.length === 5 ? ':00' : ''}Z`);
  assert.ok(at !== undefined, `no time: ${text}`);
  return at;
}

export function between(from: string, until: string): readonly [Instant, Instant] {
  return [instantOf(from), instantOf(until)];
}

/** As expectations write it: `ops first-notification +a1 +a2 -b1`, worst first. */
export function printNotification({ receiver, reason, firing, ended: over, more }: Notification) {
  const ids = [
    ...firing.map(({ alert }) => `+${alert.id}`),
    ...(more.firing > 0 ? [`+${more.firing}more`] : []),
    ...over.map(({ alert }) => `-${alert.id}`),
    ...(more.ended > 0 ? [`-${more.ended}more`] : []),
  ];
  return [receiver, reason, ...ids].join(' ');
}

/** Where a commit fails: before it is written, or after, so that nobody hears of it; or what happens first. */
type CommitFault = 'before' | 'after' | (() => Promise<void>);

class FaultyLog implements NotificationLog {
  readonly #log: NotificationLog;
  fault: CommitFault | undefined;

  constructor(log: NotificationLog) {
    this.#log = log;
  }

  async commit(...args: Parameters<NotificationLog['commit']>): Promise<void> {
    const { fault } = this;
    this.fault = undefined;
    if (fault === 'before') throw new AppError('STORE_UNAVAILABLE', 'planned fault');
    if (typeof fault === 'function') await fault();
    await this.#log.commit(...args);
    if (fault === 'after') throw new AppError('STORE_UNAVAILABLE', 'planned fault');
  }

  groups = () => this.#log.groups();
  statuses = () => this.#log.statuses();
  status = (alert: string) => this.#log.status(alert);
  notifications = (filter: Parameters<NotificationLog['notifications']>[0]) =>
    this.#log.notifications(filter);
}

export interface ScenarioOptions {
  readonly config?: ConfigInput;
  readonly receivers?: readonly string[];
  readonly start?: string;
  /** Rules whose health the evaluator tells; without it nothing warms the notifier up early. */
  readonly warm?: boolean;
  readonly consequencesOf?: (occurrence: string) => Promise<readonly Consequence[]>;
}

export function policyOf(config: ConfigInput = {}, receivers = ['ops', 'mail', 'etl']): Policy {
  return compilePolicy(notifyConfig.parse(config), receivers);
}

/** Alerts, silences and notifiers on an embedded store and a clock that a script moves. */
export class NotifyScenario implements AsyncDisposable {
  readonly clock: FakeClock;
  readonly stores: AlertStores;
  readonly metrics = new Metrics();
  readonly #options: ScenarioOptions;
  readonly #notifiers = new Map<string, { notifier: Notifier; lease: HeldLease; log: FaultyLog }>();
  readonly #script: { readonly at: Instant; readonly act: () => Promise<void> }[] = [];
  readonly #wants: { readonly window: readonly [Instant, Instant]; readonly text: string }[] = [];
  #policy: Policy;
  #lives = 0;

  constructor(options: ScenarioOptions = {}) {
    this.#options = options;
    this.clock = new FakeClock(instantOf(options.start ?? '10:00'));
    this.stores = openSqliteAlertStores({ file: ':memory:', clock: this.clock });
    this.#policy = policyOf(options.config, [...(options.receivers ?? ['ops', 'mail', 'etl'])]);
    this.startNotifier('first');
  }

  startNotifier(name: string): void {
    const { stores, clock, metrics } = this;
    this.#lives += 1;
    const holder = `${name}/${this.#lives}`;
    const held = { store: stores.leases, name: 'alerter/notify', holder, ttlMs: LEASE_MS, clock };
    const lease = new HeldLease(held);
    const log = new FaultyLog(stores.notificationLog);
    const { consequencesOf = async () => [] } = this.#options;
    const notifier = new Notifier({
      stores: { ...stores, notificationLog: log },
      ...{ lease, consequencesOf, policy: this.#policy, clock, logger: silentLogger, metrics },
    });
    this.#notifiers.set(name, { notifier, lease, log });
  }

  /** As a power failure does: its lease runs out by itself. */
  kill(name: string): void {
    this.#notifiers.delete(name);
  }

  async stop(name: string): Promise<void> {
    await this.#notifiers.get(name)?.lease[Symbol.asyncDispose]();
    this.#notifiers.delete(name);
  }

  failCommit(name: string, fault: CommitFault): void {
    const running = this.#notifiers.get(name);
    if (running !== undefined) running.log.fault = fault;
  }

  reload(config: ConfigInput): void {
    this.#policy = policyOf(config, [...(this.#options.receivers ?? ['ops', 'mail', 'etl'])]);
    for (const { notifier } of this.#notifiers.values()) notifier.reload(this.#policy);
  }

  async fire(id: string, over: Partial<Alert> = {}): Promise<void> {
    const now = this.clock.now();
    const before = await this.stores.alerts.alert(id);
    const episode = (before?.episode ?? 0) + 1;
    const times = { firedAt: now, activeSince: now, evaluatedAt: now, episode };
    const alert = anAlert(id, { ...times, ...over });
    await this.save(alert, before?.state ?? 'inactive');
  }

  async end(id: string, state: 'resolved' | 'gone' = 'resolved'): Promise<void> {
    const alert = await this.stores.alerts.alert(id);
    assert.ok(alert !== undefined, `no alert ${id}`);
    await this.save(ended(alert, this.clock.now(), state), alert.state);
  }

  async save(alert: Alert, from: Alert['state']): Promise<void> {
    const at = this.clock.now();
    const { id, episode, state } = alert;
    const transitions = [{ alert: id, episode, at, from, to: state, why: 'scripted' }];
    const health: RuleHealth[] = this.#options.warm === false ? [] : [this.#health(at)];
    await this.stores.alerts.save({ alerts: [alert], transitions, health }, undefined);
  }

  #health(at: Instant): RuleHealth {
    const rest = { ruleVersion: 'v', outcome: 'ok' as const, why: '', durationMs: 1 };
    return { rule: 'cluster-idle', evaluatedAt: at, ...rest };
  }

  /** Puts something into the script; several at one time are done in the order they were said. */
  at(time: string) {
    const add = (act: () => Promise<void> | void): this => {
      this.#script.push({ at: instantOf(time), act: async () => act() });
      return this;
    };
    return {
      fires: (id: string, over: Partial<Alert> = {}) => add(() => this.fire(id, over)),
      resolves: (id: string) => add(() => this.end(id)),
      goes: (id: string) => add(() => this.end(id, 'gone')),
      silenced: (id: string, until: string, over: Partial<Silence> = {}) =>
        add(() => {
          const times = { startsAt: this.clock.now(), endsAt: instantOf(until) };
          return this.stores.silences.create(aSilence(id, { ...times, ...over }));
        }),
      silenceEnds: (id: string) =>
        add(async () => {
          await this.stores.silences.end(id, this.clock.now(), 'bob');
        }),
      reloads: (config: ConfigInput) => add(() => this.reload(config)),
      does: (act: () => Promise<void> | void) => add(act),
    };
  }

  /** One message, in a half-open window; what no expectation names must not be there. */
  want(window: readonly [Instant, Instant], text: string): this {
    this.#wants.push({ window, text });
    return this;
  }

  async round(): Promise<void> {
    for (const { notifier } of this.#notifiers.values()) {
      try {
        await notifier.round();
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
      }
    }
  }

  async said(): Promise<Notification[]> {
    return (await this.stores.notificationLog.notifications({ limit: 10_000 })).reverse();
  }

  /** Plays the script up to a time, a round each `stepMs`, and compares. */
  async play(until: string, stepMs = 5_000): Promise<Notification[]> {
    const end = instantOf(until);
    const script = this.#script.toSorted((a, b) => a.at - b.at);
    while (this.clock.now() < end) {
      while (script[0] !== undefined && script[0].at <= this.clock.now()) {
        await script.shift()?.act();
      }
      await this.round();
      await this.clock.advance(stepMs);
    }
    const said = await this.said();
    this.#compare(said);
    return said;
  }

  #compare(said: readonly Notification[]): void {
    const left = said.map((one) => ({ at: one.at, text: printNotification(one) }));
    const missing: string[] = [];
    for (const { window, text } of this.#wants) {
      const found = left.findIndex(
        (one) => one.text === text && one.at >= window[0] && one.at < window[1],
      );
      if (found >= 0) left.splice(found, 1);
      else missing.push(`${window.map(timeOf).join('…')} ${text}`);
    }
    const unwanted = left.map(({ at, text }) => `${timeOf(at)} ${text}`);
    assert.deepEqual({ missing, unwanted }, { missing: [], unwanted: [] });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stores[Symbol.asyncDispose]();
  }
}

const timeOf = (at: Instant): string => new Date(at).toISOString().slice(11, 19);

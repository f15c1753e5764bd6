import type { Clock } from '../../../shared/runtime/clock.ts';
import type { HeldLease } from '../../../shared/stores/held-lease.ts';
import type { OutboxStore, Pending } from '../../../shared/stores/outbox-store.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';
import type { Metrics } from '../../../shared/telemetry/metrics.ts';
import { HOUR_MS, SECOND_MS } from '../../../shared/values/instant.ts';
import { DeliveryRound, type RoundDeps } from './delivery-round.ts';
import { DestinationGate } from './destination-gate.ts';
import type { Receiver, Sender } from './senders/sender.ts';

/** Due messages of one receiver that are in memory at once; as many as a digest has. */
const ENTRIES_MAX = 50;

/** A receiver that was taken out of the configuration may come back; its messages wait so long. */
const UNKNOWN_GIVE_UP_MS = 24 * HOUR_MS;
const UNKNOWN_RETRY_MS = 60 * SECOND_MS;

const FAULT_PAUSE_MS = 5 * SECOND_MS;

export interface DispatcherDeps {
  readonly outbox: OutboxStore;
  readonly receivers: ReadonlyMap<string, Receiver>;
  readonly clock: Clock;
  readonly random: () => number;
  /** One dispatcher is at work; undefined where there is one process. A stale one can only repeat. */
  readonly lease: HeldLease | undefined;
  /** How often the outbox is asked; `wake` is faster. */
  readonly pollMs: number;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/**
 * Takes due messages from the outbox to their receivers. Each receiver is served on its own, so that
 * one that is slow or down delays no other; messages that can't be sent stay in the outbox, never
 * here.
 */
export class Dispatcher {
  readonly #deps: DispatcherDeps;
  readonly #round: RoundDeps;
  readonly #gates = new Map<string, DestinationGate>();
  readonly #busy = new Map<string, Promise<void>>();
  readonly #gauges;
  #wake: () => void = () => undefined;

  constructor(deps: DispatcherDeps) {
    this.#deps = deps;
    const { outbox, clock, random, logger, metrics } = deps;
    this.#round = {
      outbox,
      clock,
      random,
      logger,
      gateOf: (sender) => this.#gateOf(sender),
      count: metrics.counter(
        'tollgate_notification_attempts_total',
        'Attempts to deliver a notification to a destination, by kind of sender and outcome.',
      ),
    };
    this.#gauges = {
      waiting: metrics.gauge('tollgate_outbox_waiting', 'Notifications not delivered yet.'),
      oldest: metrics.gauge(
        'tollgate_outbox_oldest_seconds',
        'Age of the oldest notification that is not delivered yet, in s; 0 when there is none.',
      ),
    };
  }

  /** Something was enqueued: don't wait for the next poll. */
  wake(): void {
    this.#wake();
  }

  /** Until the signal aborts; then waits for what is under way, which stops too. */
  async run(signal: AbortSignal): Promise<void> {
    const { lease, pollMs, logger } = this.#deps;
    while (!signal.aborted) {
      let pause = pollMs;
      try {
        if (lease === undefined || (await lease.fence()) !== undefined) await this.#begin(signal);
      } catch (error) {
        if (signal.aborted) break;
        logger.warn({ err: error }, 'the outbox does not answer; its messages wait');
        pause = FAULT_PAUSE_MS;
      }
      await this.#rest(pause, signal);
    }
    await Promise.all(this.#busy.values());
  }

  /** One look into the outbox, and the end of all it began; for tests and for a last round. */
  async pass(signal: AbortSignal): Promise<void> {
    await this.#begin(signal);
    await Promise.all(this.#busy.values());
  }

  async #rest(ms: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await this.#deps.clock.sleep(ms, AbortSignal.any([signal, woken.signal]));
    this.#wake = () => undefined;
  }

  #gateOf({ destination, pace }: Sender): DestinationGate {
    let gate = this.#gates.get(destination);
    if (gate === undefined) {
      gate = new DestinationGate(pace, this.#deps.clock.elapsed());
      this.#gates.set(destination, gate);
    }
    return gate;
  }

  /** Starts a round for each receiver that has something due and none under way. */
  async #begin(signal: AbortSignal): Promise<void> {
    const { outbox, clock, receivers } = this.#deps;
    const now = clock.now();
    for (const receiver of receivers.values()) {
      for (const sender of receiver.senders) this.#gateOf(sender);
    }
    for (const [destination, until] of await outbox.pauses(now)) {
      this.#gates.get(destination)?.keepUntil(until);
    }
    const due = Map.groupBy(
      await outbox.due(now, ENTRIES_MAX),
      ({ notification }) => notification.receiver,
    );
    for (const [name, entries] of due) {
      if (this.#busy.has(name)) continue;
      const work = this.#serve(receivers.get(name), entries, signal);
      this.#busy.set(
        name,
        work.finally(() => this.#busy.delete(name)),
      );
    }
    await this.#measure();
  }

  async #measure(): Promise<void> {
    const { outbox, clock } = this.#deps;
    const { waiting, oldestAt } = await outbox.status();
    this.#gauges.waiting({}, waiting);
    const ageMs = oldestAt === undefined ? 0 : Math.max(0, clock.now() - oldestAt);
    this.#gauges.oldest({}, ageMs / 1_000);
  }

  async #serve(
    receiver: Receiver | undefined,
    entries: readonly Pending[],
    signal: AbortSignal,
  ): Promise<void> {
    const { logger, clock } = this.#deps;
    try {
      if (receiver === undefined) await this.#keep(entries);
      else await new DeliveryRound(this.#round, receiver, entries).run(signal);
    } catch (error) {
      if (signal.aborted) return;
      const facts = { err: error, receiver: receiver?.name };
      logger.warn(facts, 'a round broke off; what it had not recorded may be sent again');
      await clock.sleep(FAULT_PAUSE_MS, signal);
    }
  }

  /** Nothing is lost by a receiver that was renamed: its messages wait for a day, and are told of. */
  async #keep(entries: readonly Pending[]): Promise<void> {
    const { outbox, clock, logger } = this.#deps;
    const now = clock.now();
    for (const { notification } of entries) {
      const { id: notificationId, receiver, at } = notification;
      const error = `no receiver is called "${receiver}"; configure it in alerter.notify.receivers`;
      if (now - at < UNKNOWN_GIVE_UP_MS) {
        await outbox.record(notificationId, {
          deliveries: [],
          retryAt: now + UNKNOWN_RETRY_MS,
          error,
        });
        continue;
      }
      logger.error({ notification: notificationId, receiver }, 'a notification has no receiver');
      const delivery = { notification: notificationId, destination: receiver, at: now, why: error };
      await outbox.record(notificationId, {
        deliveries: [{ ...delivery, outcome: 'given-up' }],
        retryAt: undefined,
        error,
      });
    }
  }
}

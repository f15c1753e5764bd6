import type { Clock } from '../../../shared/runtime/clock.ts';
import type { Delivery, OutboxStore, Pending } from '../../../shared/stores/outbox-store.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';
import { type Instant, SECOND_MS } from '../../../shared/values/instant.ts';
import { type DestinationGate, retryWaitMs } from './destination-gate.ts';
import { planRound } from './plan-round.ts';
import type { Batch, Receiver, Sender, SendResult, Thread } from './senders/sender.ts';

/** After this a round ends, so that what has become due meanwhile gets its turn. */
const ROUND_MS = 5 * SECOND_MS;

/** Destinations of one receiver that are served at the same time. */
const DESTINATIONS_MAX = 8;

export interface RoundDeps {
  readonly outbox: OutboxStore;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly gateOf: (sender: Sender) => DestinationGate;
  /** Counts attempts by the sender's kind and what came of them. */
  readonly count: (labels: { kind: string; outcome: string }) => void;
}

/** What is known of a message during a round. */
interface Progress {
  readonly entry: Pending;
  readonly done: Set<string>;
  /** When each destination that lacks it may be tried again. */
  readonly holds: Instant[];
  error: string;
}

/** Brings what is due for one receiver to its destinations, once. Nobody else serves it meanwhile. */
export class DeliveryRound {
  readonly #deps: RoundDeps;
  readonly #receiver: Receiver;
  readonly #progress: ReadonlyMap<string, Progress>;
  readonly #beganAt: number;
  /** Results are recorded one after another: an older one must not undo that a message is finished. */
  #recorded: Promise<void> = Promise.resolve();

  constructor(deps: RoundDeps, receiver: Receiver, entries: readonly Pending[]) {
    this.#deps = deps;
    this.#receiver = receiver;
    this.#beganAt = deps.clock.elapsed();
    this.#progress = new Map(
      entries.map((entry) => [
        entry.notification.id,
        { entry, done: new Set(entry.done.map((one) => one.destination)), holds: [], error: '' },
      ]),
    );
  }

  /** @throws when the outbox fails or the signal aborts; what was recorded by then stays */
  async run(signal: AbortSignal): Promise<void> {
    await this.#passOver();
    const senders = [...this.#receiver.senders];
    const serve = async (): Promise<void> => {
      for (let sender = senders.shift(); sender !== undefined; sender = senders.shift()) {
        await this.#serve(sender, signal);
      }
    };
    const lanes = Array.from({ length: Math.min(DESTINATIONS_MAX, senders.length) }, serve);
    const ends = await Promise.allSettled(lanes);
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    await this.#putOff();
  }

  /** What this receiver doesn't want, or nobody receives, is finished without a delivery. */
  async #passOver(): Promise<void> {
    const { senders, sendResolved } = this.#receiver;
    for (const { entry } of this.#progress.values()) {
      const { reason, status } = entry.notification;
      const isEnd = reason === 'all-resolved' || reason === 'new-resolved-alerts';
      const isUnwanted = !sendResolved && isEnd && status === 'resolved';
      const isFinished = senders.every((sender) => this.#isDone(entry, sender));
      if (!isUnwanted && !isFinished) continue;
      for (const sender of senders) this.#of(entry).done.add(sender.destination);
      await this.#record(entry, { deliveries: [], retryAt: undefined, error: '' });
    }
  }

  #of(entry: Pending): Progress {
    const progress = this.#progress.get(entry.notification.id);
    if (progress === undefined) throw new Error('an entry of another round');
    return progress;
  }

  #isDone(entry: Pending, { destination }: Sender): boolean {
    return this.#of(entry).done.has(destination);
  }

  async #serve(sender: Sender, signal: AbortSignal): Promise<void> {
    const { clock, gateOf } = this.#deps;
    const gate = gateOf(sender);
    const entries = [...this.#progress.values()]
      .map(({ entry }) => entry)
      .filter((entry) => !this.#isDone(entry, sender));
    const plan = planRound(
      entries,
      { destination: sender.destination, pausedUntil: gate.until },
      { digestMs: this.#receiver.digestMs, now: clock.now() },
    );
    for (const [id, until] of plan.holds) this.#progress.get(id)?.holds.push(until);
    for (const batch of plan.batches) {
      if (gate.until > clock.now()) {
        for (const entry of batch) await this.#rest(entry, sender, gate);
        continue;
      }
      await clock.sleep(gate.bucket.take(clock.elapsed()), signal);
      signal.throwIfAborted();
      await this.#send(batch, sender, signal);
      if (clock.elapsed() - this.#beganAt >= ROUND_MS) {
        this.#leaveDue(plan.batches.slice(plan.batches.indexOf(batch) + 1).flat());
        return;
      }
    }
  }

  #leaveDue(entries: readonly Pending[]): void {
    for (const entry of entries) this.#of(entry).holds.push(entry.nextAt);
  }

  async #send(
    batch: readonly [Pending, ...Pending[]],
    sender: Sender,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, random, gateOf, count, outbox, logger } = this.#deps;
    const { destination, kind } = sender;
    const result = await this.#try(batch, sender, signal);
    const gate = gateOf(sender);
    count({ kind, outcome: result.outcome });
    if (result.outcome === 'later') {
      const now = clock.now();
      const until = gate.failed(result, now, random);
      const { why } = result;
      logger.warn({ receiver: this.#receiver.name, destination, why }, 'a notification must wait');
      await outbox.pause(destination, until);
      for (const entry of batch) await this.#wait(entry, sender, { until, why, now });
      return;
    }
    gate.succeeded();
    for (const entry of batch) await this.#settle(entry, sender, result);
  }

  async #try(
    batch: readonly [Pending, ...Pending[]],
    sender: Sender,
    signal: AbortSignal,
  ): Promise<SendResult> {
    const thread = await this.#threadOf(batch, sender);
    const [first, ...rest] = batch.map(({ notification }) => notification);
    if (first === undefined) throw new Error('an empty batch');
    return sender.send([first, ...rest] satisfies Batch, thread, signal);
  }

  /** A digest of several groups belongs to no conversation. */
  async #threadOf(batch: readonly Pending[], { destination }: Sender): Promise<Thread> {
    const { outbox, clock } = this.#deps;
    const groups = new Set(batch.map(({ notification }) => notification.groupKey));
    const [group = ''] = groups;
    if (groups.size > 1) return { value: undefined, keep: async () => undefined };
    return {
      value: await outbox.thread(group, destination),
      keep: (value) => outbox.keepThread(group, destination, value, clock.now()),
    };
  }

  /** Its destination has just failed for another message; one that is too old waits no longer. */
  async #rest(entry: Pending, sender: Sender, gate: DestinationGate): Promise<void> {
    if (this.#isTooOld(entry)) await this.#giveUp(entry, sender, gate.why);
    else this.#of(entry).holds.push(gate.until);
  }

  #isTooOld({ notification }: Pending): boolean {
    return this.#deps.clock.now() - notification.at >= this.#receiver.giveUpAfterMs;
  }

  /** The message waits for its own next attempt, others only for the destination. */
  async #wait(
    entry: Pending,
    sender: Sender,
    { until, why, now }: { readonly until: Instant; readonly why: string; readonly now: Instant },
  ): Promise<void> {
    if (this.#isTooOld(entry)) {
      await this.#giveUp(entry, sender, why);
      return;
    }
    const progress = this.#of(entry);
    const own = now + retryWaitMs(entry.attempts, this.#deps.random);
    progress.holds.push(Math.max(until, own));
    progress.error = `${sender.destination}: ${why}`;
  }

  async #giveUp(entry: Pending, sender: Sender, why: string): Promise<void> {
    const { kind } = sender;
    this.#deps.count({ kind, outcome: 'given-up' });
    await this.#settle(entry, sender, { outcome: 'given-up', why });
  }

  async #settle(
    entry: Pending,
    sender: Sender,
    result:
      | { readonly outcome: 'delivered' }
      | { readonly outcome: 'refused' | 'given-up'; readonly why: string },
  ): Promise<void> {
    const { clock, logger } = this.#deps;
    const { destination } = sender;
    const { id } = entry.notification;
    const why = 'why' in result ? result.why : '';
    const { outcome } = result;
    if (outcome !== 'delivered') {
      const facts = { notification: id, receiver: this.#receiver.name, destination, why };
      logger.error(facts, outcome === 'refused' ? 'a notification was refused' : GIVEN_UP);
    }
    const { done } = this.#of(entry);
    done.add(destination);
    const isFinished = this.#receiver.senders.every((one) => done.has(one.destination));
    const delivery: Delivery = { notification: id, destination, outcome, at: clock.now(), why };
    const retryAt = isFinished ? undefined : entry.nextAt;
    await this.#record(entry, { deliveries: [delivery], retryAt, error: '' });
  }

  #record(entry: Pending, result: Parameters<OutboxStore['record']>[1]): Promise<void> {
    const record = (): Promise<void> => this.#deps.outbox.record(entry.notification.id, result);
    this.#recorded = this.#recorded.then(record, record);
    return this.#recorded;
  }

  /** Those that some destination still lacks come again when the first of these may be tried. */
  async #putOff(): Promise<void> {
    for (const { entry, done, holds, error } of this.#progress.values()) {
      if (holds.length === 0) continue;
      if (this.#receiver.senders.every(({ destination }) => done.has(destination))) continue;
      const retryAt = Math.min(...holds);
      if (error === '' && retryAt <= entry.nextAt) continue;
      await this.#record(entry, { deliveries: [], retryAt, error });
    }
  }
}

const GIVEN_UP = 'a notification was given up: its destination failed for too long';

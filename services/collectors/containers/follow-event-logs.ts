import { attributeApplication } from '../../../shared/attribution/attribute-application.ts';
import type { AttributionRules } from '../../../shared/attribution/attribution-rules.ts';
import type {
  ApplicationActivity,
  Evidence,
  JournalFact,
} from '../../../shared/contracts/container-fact.ts';
import type { Clock } from '../../../shared/runtime/clock.ts';
import type { CheckpointReader } from '../../../shared/stores/checkpoint.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';
import type { Labels, Metrics } from '../../../shared/telemetry/metrics.ts';
import { DAY_MS, type Instant } from '../../../shared/values/instant.ts';
import { poll } from '../inputs/poll-input.ts';
import { EventLogFollower } from './event-log-follower.ts';
import { withDigest } from './fact-id.ts';
import { type FoundEventLog, type FoundEventLogs, findEventLogs } from './find-event-logs.ts';
import { LogMemory } from './log-memory.ts';
import type { RecordFacts } from './record-facts.ts';

export interface EventLogSettings {
  readonly cluster: string;
  /** Folders, files or globs. */
  readonly paths: readonly string[];
  readonly rules: AttributionRules;
  readonly scanIntervalMs: number;
  /** Least time between two snapshots of one log's evidence and activity. */
  readonly activityIntervalMs: number;
  /** A finished log without an end, or one that looks finished, is believed after this time. */
  readonly settleMs: number;
  /** A log in progress that didn't grow for this time is put aside until it grows. */
  readonly idleMs: number;
  readonly maxAgeDays: number;
  readonly maxFollowed: number;
  readonly yarnMemoryStepMib: number;
}

export interface FollowEventLogsDeps {
  readonly settings: EventLogSettings;
  readonly checkpoints: CheckpointReader;
  readonly record: RecordFacts;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

interface Followed {
  readonly follower: EventLogFollower;
  /** When evidence and activity were last told, and up to which event. */
  toldAt: Instant;
  toldUntil: Instant | undefined;
}

interface Draft {
  facts: JournalFact[];
  evidence: Evidence[];
  activity: ApplicationActivity[];
  dropped: Map<string, number>;
}

const SLICE_BYTES = 4 * 1024 * 1024;
const FACTS_PER_BATCH = 2_000;

const emptyDraft = (): Draft => ({ facts: [], evidence: [], activity: [], dropped: new Map() });

/**
 * Follows the event logs of one cluster until the signal aborts. After a restart logs in progress
 * are read from their beginning: their facts have the same ids again. Only logs that grow, and at
 * most `maxFollowed`, are held in memory.
 */
export async function followEventLogs(
  deps: FollowEventLogsDeps,
  signal: AbortSignal,
): Promise<void> {
  const { settings, clock, checkpoints } = deps;
  const stored = await checkpoints.checkpoints(LogMemory.prefix(settings.cluster));
  await using watcher = new EventLogWatcher(deps, new LogMemory(settings.cluster, stored));
  for await (const _ of poll(settings.scanIntervalMs, clock, signal)) {
    await watcher.scan(signal);
  }
}

class EventLogWatcher implements AsyncDisposable {
  readonly #deps: FollowEventLogsDeps;
  readonly #memory: LogMemory;
  readonly #followed = new Map<string, Followed>();
  readonly #counters: Record<'notes' | 'bytes' | 'faults', (labels: Labels, by?: number) => void>;
  readonly #gauges: Record<'followed' | 'waiting', (labels: Labels, value: number) => void>;
  readonly #told = new Map<string, string>();
  #draft = emptyDraft();

  constructor(deps: FollowEventLogsDeps, memory: LogMemory) {
    const { metrics } = deps;
    this.#deps = deps;
    this.#memory = memory;
    this.#counters = {
      notes: metrics.counter('tollgate_event_log_notes_total', 'What readers noted, by note.'),
      bytes: metrics.counter('tollgate_event_log_bytes_total', 'Bytes of event logs that grew.'),
      faults: metrics.counter(
        'tollgate_event_log_faults_total',
        'Logs that can’t be read, by code.',
      ),
    };
    this.#gauges = {
      followed: metrics.gauge('tollgate_event_logs_followed', 'Event logs held in memory.'),
      waiting: metrics.gauge('tollgate_event_logs_waiting', 'Event logs that wait for room.'),
    };
  }

  /** Lists the logs and reads all that they hold now. */
  async scan(signal: AbortSignal): Promise<void> {
    const { settings, clock } = this.#deps;
    const found = await findEventLogs(settings.paths);
    this.#tellUnreadable(found.unreadable);
    await this.#forgetGone(found);
    const oldest = clock.now() - settings.maxAgeDays * DAY_MS;
    let due = found.logs.filter((log) => {
      if (this.#followed.has(log.key)) return true;
      return !this.#memory.isAside(log) && log.modifiedAt >= oldest;
    });
    // What was written last is read first: it is running, and the rest has waited already.
    due.sort((a, b) => b.modifiedAt - a.modifiedAt);
    let waiting = 0;
    while (due.length > 0 && !signal.aborted) {
      const unread: FoundEventLog[] = [];
      waiting = 0;
      for (const log of due) {
        if (signal.aborted) break;
        const step = await this.#advance(log, signal);
        if (step === 'more') unread.push(log);
        else if (step === 'wait') waiting += 1;
      }
      due = unread;
    }
    await this.#flush(signal);
    const { cluster } = settings;
    this.#gauges.followed({ cluster }, this.#followed.size);
    this.#gauges.waiting({ cluster }, waiting);
  }

  #open(log: FoundEventLog): Followed | undefined {
    const known = this.#followed.get(log.key);
    if (known !== undefined) return known;
    const { settings, clock } = this.#deps;
    if (this.#followed.size >= settings.maxFollowed) return undefined;
    const { cluster, rules, yarnMemoryStepMib } = settings;
    const { fallback } = log;
    const attribute = (subject: Parameters<typeof attributeApplication>[1]) =>
      attributeApplication(rules, subject);
    const options = { cluster, attribute, fallback, yarnMemoryStepMib };
    const follower = new EventLogFollower(options, clock.now());
    const followed = { follower, toldAt: 0, toldUntil: undefined };
    this.#followed.set(log.key, followed);
    return followed;
  }

  async #advance(log: FoundEventLog, signal: AbortSignal): Promise<'more' | 'done' | 'wait'> {
    const { clock, settings } = this.#deps;
    const followed = this.#open(log);
    if (followed === undefined) return 'wait';
    const { follower } = followed;
    const before = follower.position;
    try {
      const step = await follower.advance(log, SLICE_BYTES);
      const grown = follower.position - before;
      if (grown > 0) {
        follower.grewAt = clock.now();
        this.#counters.bytes({ cluster: settings.cluster }, grown);
      }
      this.#take(followed, false);
      if (step === 'replaced') await this.#close(log.key);
      else if (step === 'foreign') await this.#refuse(log);
      else if (step === 'caught-up') await this.#maybeFinish(log, followed);
      if (this.#draft.facts.length >= FACTS_PER_BATCH) await this.#flush(signal);
      return step === 'more' ? 'more' : 'done';
    } catch (error) {
      signal.throwIfAborted();
      const code = (error as NodeJS.ErrnoException).code;
      if (code === undefined) throw error;
      // A file that is renamed or deleted between listing and opening is found again, or gone, next time.
      if (code !== 'ENOENT') this.#tell(log.key, code);
      return 'done';
    }
  }

  /** Takes what the reader found; evidence and activity only now and then, or when it must be. */
  #take(followed: Followed, always: boolean): void {
    const { settings, clock } = this.#deps;
    const { reader } = followed.follower;
    const draft = this.#draft;
    for (const fact of reader.takeFacts()) {
      const isApplication = fact.kind === 'application-seen' || fact.kind === 'application-ended';
      draft.facts.push(isApplication ? withDigest(fact) : fact);
    }
    const until = reader.end?.at ?? reader.lastEventAt;
    const isDue = always || clock.now() - followed.toldAt >= settings.activityIntervalMs;
    if (until === undefined || until === followed.toldUntil || !isDue) return;
    const activity = reader.activity();
    if (activity === undefined) return;
    draft.activity.push(activity);
    draft.evidence.push(...reader.evidence());
    followed.toldAt = clock.now();
    followed.toldUntil = until;
  }

  async #maybeFinish(log: FoundEventLog, followed: Followed): Promise<void> {
    const { settings, clock } = this.#deps;
    const { follower } = followed;
    const now = clock.now();
    const quietMs = now - follower.grewAt;
    if (log.inProgress) {
      if (quietMs < settings.idleMs) return;
      this.#take(followed, true);
    } else {
      const isOver = follower.reader.end !== undefined;
      const settled = Math.max(quietMs, now - log.modifiedAt) >= settings.settleMs;
      if (!isOver && !settled) return;
      await follower.finish('the log is closed without an end of the application');
      this.#take(followed, true);
      if (follower.reader.events === 0 && log.size > 0) return this.#refuse(log);
      for (const [note, times] of follower.reader.notes) this.#counters.notes({ note }, times);
    }
    this.#memory.putAside(log);
    await this.#close(log.key);
  }

  async #refuse(log: FoundEventLog): Promise<void> {
    const { logger, settings } = this.#deps;
    logger.warn({ cluster: settings.cluster, log: log.key }, 'not an event log, left out');
    const { dropped } = this.#draft;
    dropped.set('not-an-event-log', (dropped.get('not-an-event-log') ?? 0) + 1);
    this.#memory.putAside(log);
    await this.#close(log.key);
  }

  async #close(key: string): Promise<void> {
    await this.#followed.get(key)?.follower[Symbol.asyncDispose]();
    this.#followed.delete(key);
    this.#told.delete(key);
  }

  /** Stores what was found, with the logs that need no more reading, in one transaction. */
  async #flush(signal: AbortSignal): Promise<void> {
    const draft = this.#draft;
    this.#draft = emptyDraft();
    const checkpoints = this.#memory.takeCheckpoints();
    const isEmpty =
      draft.facts.length + draft.activity.length + checkpoints.length + draft.dropped.size === 0;
    if (!isEmpty) await this.#deps.record({ ...draft, checkpoints }, signal);
  }

  async #forgetGone({ logs, unreadable }: FoundEventLogs): Promise<void> {
    const keys = new Set(logs.map(({ key }) => key));
    const isThere = (key: string): boolean =>
      keys.has(key) || [...unreadable.keys()].some((path) => key.startsWith(path));
    for (const key of [...this.#followed.keys()]) if (!isThere(key)) await this.#close(key);
    this.#memory.forget(isThere);
  }

  #tellUnreadable(unreadable: ReadonlyMap<string, string>): void {
    for (const [path, code] of unreadable) this.#tell(path, code);
  }

  /** Once for each path and code. */
  #tell(path: string, code: string): void {
    this.#counters.faults({ code });
    if (this.#told.get(path) === code) return;
    if (this.#told.size < 10_000) this.#told.set(path, code);
    const { logger, settings } = this.#deps;
    logger.warn({ cluster: settings.cluster, path, code }, 'event log can’t be read');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const key of [...this.#followed.keys()]) await this.#close(key);
  }
}

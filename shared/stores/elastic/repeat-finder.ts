import type { LogRecord } from '../../contracts/log-record.ts';
import { AppError } from '../../errors/app-error.ts';
import type { Clock } from '../../runtime/clock.ts';
import { DAY_MS, HOUR_MS, type Instant } from '../../values/instant.ts';
import type { CheckpointStore } from '../checkpoint.ts';
import { splitOrigin } from './elastic-log-document.ts';
import { causeIn, type ElasticRequests } from './elastic-requests.ts';
import type { IndexPlaces } from './indices/places.ts';

/** A record with its document's id and its place. */
export interface PlacedLog {
  readonly record: LogRecord;
  readonly id: string;
  readonly index: string;
}

export interface RepeatFinderDeps {
  readonly requests: Pick<ElasticRequests, 'send' | 'url'>;
  readonly places: IndexPlaces;
  readonly checkpoints: Pick<CheckpointStore, 'lastSavedAt'>;
  readonly clock: Clock;
}

/** Clocks of machines differ, and a line read waits a while before it is written. */
const SLACK_MS = HOUR_MS;
/** A sender without checkpoints repeats itself within this time. */
const UNKNOWN_MS = 2 * DAY_MS;
/** Places are asked for so many days at once, which no adapter shortens to a pattern. */
const SLICE_MS = 28 * DAY_MS;
const ASKED_AT_ONCE = 2_000;
const TIME_OF_READING = new Set(['time-observed', 'time-implausible']);

/** Whether its time is that of its reading, so that a second reading gives it another one. */
function isTimedByReading({ marks }: LogRecord): boolean {
  return marks.some((mark) => TIME_OF_READING.has(mark));
}

/**
 * Finds records that were stored before under another time, maybe in another index: there `create`
 * doesn't see that they are repeats.
 */
export class RepeatFinder {
  readonly #deps: RepeatFinderDeps;

  constructor(deps: RepeatFinderDeps) {
    this.#deps = deps;
  }

  /**
   * Documents of `logs` that lie in another index already. Call it before the checkpoints of the
   * batch are touched: how far back it looks follows from them.
   *
   * @throws AppError STORE_UNAVAILABLE when the server can't tell
   */
  async repeats(logs: readonly PlacedLog[], begun: ReadonlySet<string>): Promise<Set<string>> {
    const timed = logs.filter(
      ({ record }) => isTimedByReading(record) && (record.id ?? record.origin) !== undefined,
    );
    if (timed.length === 0) return new Set();
    const bySource = Map.groupBy(timed, ({ record }) =>
      record.origin === undefined ? '' : splitOrigin(record.origin).source,
    );
    const asked: { _index: string; _id: string }[] = [];
    for (const [source, some] of bySource) {
      const spans = await this.#spans(source, logs, begun.has(source));
      for (const log of some) {
        for (const index of this.#indices(log, spans)) asked.push({ _index: index, _id: log.id });
      }
    }
    const found = new Set<string>();
    for (let i = 0; i < asked.length; i += ASKED_AT_ONCE) {
      for (const id of await this.#find(asked.slice(i, i + ASKED_AT_ONCE))) found.add(id);
    }
    return found;
  }

  /** Spans of time in which a first reading can have put records of this source. */
  async #spans(
    source: string,
    logs: readonly PlacedLog[],
    begun: boolean,
  ): Promise<readonly (readonly [Instant, Instant])[]> {
    const now = this.#deps.clock.now();
    const saved = source === '' ? undefined : await this.#deps.checkpoints.lastSavedAt(source);
    // Its lines come after its first checkpoint, so there are none before it.
    if (saved === undefined && begun) return [];
    const since = saved ?? now - UNKNOWN_MS;
    // A line without a time has that of the line before; an old file's is an old one.
    const around = logs.flatMap(({ record }) =>
      record.origin !== undefined &&
      !isTimedByReading(record) &&
      splitOrigin(record.origin).source === source
        ? [record.at]
        : [],
    );
    const reading: readonly [Instant, Instant] = [since - SLACK_MS, now + 1];
    if (around.length === 0) return [reading];
    const [first, last] = around.reduce(
      ([low, high], at) => [Math.min(low, at), Math.max(high, at)],
      [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] as [number, number],
    );
    return [reading, [first - SLACK_MS, last + 1]];
  }

  #indices(
    { record, index: own }: PlacedLog,
    spans: readonly (readonly [Instant, Instant])[],
  ): Set<string> {
    const found = new Set<string>();
    for (const [from, until] of spans) {
      for (let at = from; at < until; at += SLICE_MS) {
        const end = Math.min(until, at + SLICE_MS);
        for (const name of this.#deps.places.places(record.project, at, end)) found.add(name);
      }
    }
    found.delete(own);
    return found;
  }

  /** Reads by id see every write that was acknowledged, whether it can be searched yet or not. */
  async #find(asked: readonly { _index: string; _id: string }[]): Promise<string[]> {
    const { requests } = this.#deps;
    const answer = await requests.send({
      method: 'POST',
      path: '/_mget',
      query: { _source: 'false' },
      body: { docs: asked },
    });
    const docs = (answer.body as { docs?: unknown } | null)?.docs;
    if (answer.status !== 200 || !Array.isArray(docs)) {
      throw this.#failed(answer.status, causeIn(answer.body));
    }
    return docs.flatMap((doc: { _id: string; found?: boolean; error?: unknown }) => {
      const cause = causeIn(doc);
      if (doc.error !== undefined && cause.type !== 'index_not_found_exception') {
        throw this.#failed(503, cause);
      }
      return doc.found === true ? [doc._id] : [];
    });
  }

  #failed(status: number, { type, reason }: { type: string; reason: string }): AppError {
    const wrong = status >= 400 && status < 500 && status !== 429;
    return new AppError(
      wrong ? 'STORE_MISCONFIGURED' : 'STORE_UNAVAILABLE',
      `Elasticsearch at ${this.#deps.requests.url} can't tell which lines it has ` +
        `(${status} ${type}: ${reason})${wrong ? '; run "tollgate stores check"' : ''}`,
    );
  }
}

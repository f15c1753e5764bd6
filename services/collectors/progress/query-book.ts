import type { Checkpoint } from '../../../shared/stores/checkpoint.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import type { QueryPlace, QueryState } from './parse/query-state.ts';
import { parseQueryState, printQueryState } from './parse/query-state-json.ts';
import { SPARK20_ID } from './parse/read-spark20.ts';

/** Checkpoints of queries; slots are used again, so that their number is bounded. */
export const QUERY_PREFIX = 'progress:query:';

interface Entry {
  readonly slot: number;
  readonly state: QueryState;
  readonly samples: number;
  /** When a record of it last arrived, by our clock. */
  readonly heardAt: Instant;
}

export interface BookOptions {
  /** Start of the checkpoints' sources; without it QUERY_PREFIX. */
  readonly prefix?: string;
  readonly maxQueries: number;
  /** Over the windows of all queries. */
  readonly maxSamples: number;
}

/** A change that is true once its checkpoints are stored. */
export interface Staged {
  readonly checkpoints: readonly Checkpoint[];
  readonly entries: ReadonlyMap<string, Entry>;
  readonly gone: ReadonlySet<string>;
  /** How many of those went for want of room. */
  readonly evicted: number;
}

/** Projects are strangers: the same query id in another project or cluster is another query. */
export function queryKey(place: QueryPlace, application: string): string {
  const scope = place.query.startsWith(SPARK20_ID) ? application : '';
  return [place.project, place.cluster, place.query, scope].join('\n');
}

function samplesOf(state: QueryState): number {
  return state.window.reduce((sum, { partitions }) => sum + partitions.size, 0);
}

/** The queries that are followed, the one heard of longest ago going first when there are too many. */
export class QueryBook {
  readonly #limits: BookOptions;
  readonly #prefix: string;
  /** In the order in which they were heard of. */
  readonly #entries = new Map<string, Entry>();
  readonly #free = new Set<number>();
  #nextSlot = 0;
  #samples = 0;

  /** @param now queries that were stored before count as heard of now: our own absence is no silence */
  constructor(limits: BookOptions, stored: readonly Checkpoint[], now: Instant) {
    this.#limits = limits;
    this.#prefix = limits.prefix ?? QUERY_PREFIX;
    for (const { source, position } of stored) {
      const slot = Number(source.slice(this.#prefix.length));
      this.#nextSlot = Math.max(this.#nextSlot, slot + 1);
      const state = position === '' ? undefined : parseQueryState(position);
      if (state === undefined) {
        this.#free.add(slot);
        continue;
      }
      const key = queryKey(state, state.runs.at(-1)?.application ?? '');
      this.#put(key, { slot, state, samples: samplesOf(state), heardAt: now });
    }
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): QueryState | undefined {
    return this.#entries.get(key)?.state;
  }

  *[Symbol.iterator](): Generator<readonly [key: string, state: QueryState, heardAt: Instant]> {
    for (const [key, { state, heardAt }] of this.#entries) yield [key, state, heardAt];
  }

  /**
   * Works out what is stored for changed states; {@link accept} makes it true.
   *
   * @param changed null forgets a query
   * @param heardAt undefined leaves the time of the last record as it was
   */
  stage(changed: ReadonlyMap<string, QueryState | null>, heardAt: Instant | undefined): Staged {
    const gone = this.#victims(changed);
    const free = new Set(this.#free);
    for (const key of gone) {
      const entry = this.#entries.get(key);
      if (entry !== undefined) free.add(entry.slot);
    }
    const entries = new Map<string, Entry>();
    let nextSlot = this.#nextSlot;
    for (const [key, state] of changed) {
      if (state === null || gone.has(key)) continue;
      const before = this.#entries.get(key);
      const [unused] = free;
      const slot = before?.slot ?? unused ?? nextSlot++;
      free.delete(slot);
      const time = heardAt ?? before?.heardAt ?? 0;
      entries.set(key, { slot, state, samples: samplesOf(state), heardAt: time });
    }
    const checkpoints = [...entries.values()].map(({ slot, state }) => ({
      source: `${this.#prefix}${slot}`,
      position: printQueryState(state),
    }));
    const emptied = [...free].filter((slot) => !this.#free.has(slot));
    const empty = emptied.map((slot) => ({
      source: `${this.#prefix}${slot}`,
      position: '',
    }));
    const evicted = [...gone].filter((key) => changed.get(key) !== null);
    return { checkpoints: [...checkpoints, ...empty], entries, gone, evicted: evicted.length };
  }

  accept({ entries, gone }: Staged): void {
    for (const key of gone) {
      const entry = this.#entries.get(key);
      if (entry === undefined) continue;
      this.#entries.delete(key);
      this.#samples -= entry.samples;
      this.#free.add(entry.slot);
    }
    for (const [key, entry] of entries) {
      this.#free.delete(entry.slot);
      this.#nextSlot = Math.max(this.#nextSlot, entry.slot + 1);
      this.#put(key, entry);
    }
  }

  /** Queries to forget: on demand, then for room, those not heard of now first. */
  #victims(changed: ReadonlyMap<string, QueryState | null>): Set<string> {
    const gone = new Set<string>();
    let samples = this.#samples;
    let count = this.#entries.size;
    for (const [key, state] of changed) {
      const before = this.#entries.get(key);
      samples += (state === null ? 0 : samplesOf(state)) - (before?.samples ?? 0);
      count += (state === null ? 0 : 1) - (before === undefined ? 0 : 1);
      if (state === null) gone.add(key);
    }
    const { maxQueries, maxSamples } = this.#limits;
    const tooMany = (): boolean => count > maxQueries || samples > maxSamples;
    for (const [key, entry] of this.#entries) {
      if (!tooMany()) return gone;
      if (changed.has(key)) continue;
      gone.add(key);
      samples -= entry.samples;
      count -= 1;
    }
    for (const [key, state] of changed) {
      if (!tooMany()) break;
      if (state === null) continue;
      gone.add(key);
      samples -= samplesOf(state);
      count -= 1;
    }
    return gone;
  }

  #put(key: string, entry: Entry): void {
    this.#samples += entry.samples - (this.#entries.get(key)?.samples ?? 0);
    this.#entries.delete(key);
    this.#entries.set(key, entry);
  }
}

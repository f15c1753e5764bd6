import type { LifecycleRecord } from '../../../shared/contracts/progress-record.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import { BoundedQueue } from '../../../shared/runtime/bounded-queue.ts';
import type { MetricWriter } from '../../../shared/stores/metric-store.ts';
import type { QuarantinedRecord } from '../../../shared/stores/quarantine.ts';
import { type ProjectId, UNATTRIBUTED } from '../../../shared/values/project-id.ts';
import { createDeliver, type DeliverDeps } from '../core/deliver.ts';
import { dropped, type Fate, FOREIGN_PROJECT, quarantined } from '../core/fate.ts';
import type { ProgressConfig } from './config.ts';
import { applyRecord, applySilence } from './parse/apply-record.ts';
import { type ParsedRecord, parseRecord } from './parse/parse-record.ts';
import {
  emptyState,
  newestRun,
  type QueryPlace,
  type QueryState,
  type WindowLimits,
} from './parse/query-state.ts';
import type { Reading } from './parse/readings.ts';
import { PointColumns } from './point-columns.ts';
import { QUERY_PREFIX, QueryBook, queryKey } from './query-book.ts';
import { type Outcome, printOrigin, type RawText, type RecordBatch } from './record-batch.ts';
import { SeriesBook } from './series-book.ts';

export interface ProgressCollectorDeps extends Omit<DeliverDeps, 'collector'> {
  readonly config: ProgressConfig;
  readonly writer: MetricWriter;
  /** Project of an application that records and sources name no project for. */
  readonly projectOf?:
    | ((cluster: string, application: string) => ProjectId | undefined)
    | undefined;
  /** Start of the checkpoints of its queries, where several collectors have some each. */
  readonly queryPrefix?: string;
  /** Of its count of queries. */
  readonly labels?: Readonly<Record<string, string>>;
}

interface Waiting {
  readonly batch: RecordBatch | 'evaluate';
  resolve(outcome: Outcome): void;
  reject(error: unknown): void;
}

/** What a group of batches comes to before it is stored. */
interface Draft {
  readonly states: Map<string, QueryState | null>;
  readonly points: PointColumns;
  readonly quarantined: QuarantinedRecord[];
  readonly dropped: Map<string, number>;
  readonly missing: Map<string, number>;
  kept: number;
  /** A record was in it, so its queries were heard of. */
  heard: boolean;
}

const GROUP = 64;
const DUPLICATE = 'duplicate';
const RAW_CHARS = 65_536;
/** How long a stop waits for what is queued, where the store doesn't answer. */
const DRAIN_MS = 5_000;

/**
 * Turns records of streaming queries into metric points with lag and verdicts. One batch group is
 * worked on at a time: its states become true when its points are stored, in one transaction with
 * the states and the positions of its sources.
 */
export class ProgressCollector implements AsyncDisposable {
  readonly #deps: ProgressCollectorDeps;
  readonly #limits: WindowLimits;
  readonly #queue: BoundedQueue<Waiting>;
  readonly #book: QueryBook;
  readonly #series: SeriesBook;
  readonly #deliver: ReturnType<typeof createDeliver>;
  readonly #stop = new AbortController();
  readonly #loop: Promise<void>;
  #closing = false;
  readonly #count: {
    readonly evicted: (labels: Record<string, string>, by?: number) => void;
    readonly missing: (labels: Record<string, string>, by?: number) => void;
    readonly queries: (labels: Record<string, string>, value: number) => void;
  };

  /** Takes up what was stored before. */
  static async open(deps: ProgressCollectorDeps): Promise<ProgressCollector> {
    const prefix = deps.queryPrefix ?? QUERY_PREFIX;
    const stored = await deps.writer.checkpoints(prefix);
    const book = new QueryBook({ ...deps.config, prefix }, stored, deps.clock.now());
    return new ProgressCollector(deps, book);
  }

  private constructor(deps: ProgressCollectorDeps, book: QueryBook) {
    const { config, writer, metrics } = deps;
    this.#deps = deps;
    this.#limits = config;
    this.#book = book;
    this.#queue = new BoundedQueue(config.queueBytes);
    this.#series = new SeriesBook(writer);
    this.#deliver = createDeliver({ ...deps, collector: 'progress' });
    this.#count = {
      evicted: metrics.counter(
        'tollgate_progress_queries_evicted_total',
        'Streaming queries forgotten for want of room.',
      ),
      missing: metrics.counter(
        'tollgate_progress_fields_missing_total',
        'Fields that a progress record should have had.',
      ),
      queries: metrics.gauge('tollgate_progress_queries', 'Streaming queries followed.'),
    };
    this.#loop = this.#run();
  }

  /** Stores a batch; throws OVERLOADED, at once, when too much waits already. */
  offer(batch: RecordBatch): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      if (this.#closing) {
        reject(new AppError('STORE_UNAVAILABLE', 'the progress collector is stopping'));
      } else if (!this.#queue.offer({ batch, resolve, reject }, batch.bytes)) {
        reject(
          new AppError(
            'OVERLOADED',
            'too many progress records wait to be stored; send again later',
          ),
        );
      }
    });
  }

  /** Waits for room, then queues the batch; `stored` settles later, so that a reader can go on. */
  async put(batch: RecordBatch, signal: AbortSignal): Promise<{ stored: Promise<Outcome> }> {
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    await this.#queue.put({ batch, resolve, reject }, batch.bytes, signal);
    return { stored: promise };
  }

  /** Looks for queries that fell silent, and forgets those that ended long ago. */
  async evaluate(): Promise<void> {
    if (this.#closing) return;
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    // A full queue has records of living queries first; the next turn looks again.
    if (this.#queue.offer({ batch: 'evaluate', resolve, reject }, 0)) await promise;
  }

  /** Stores what is queued, then ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    this.#queue.close();
    const drained = new AbortController();
    const patience = this.#deps.clock
      .sleep(DRAIN_MS, drained.signal)
      .then(() => this.#stop.abort(new AppError('STORE_UNAVAILABLE', 'stopped before storing')));
    await this.#loop;
    drained.abort();
    await patience;
  }

  async #run(): Promise<void> {
    for (;;) {
      const group = await this.#queue.take(GROUP);
      if (group.length === 0) return;
      try {
        const outcomes = await this.#store(group.map(({ batch }) => batch));
        for (const [i, { resolve }] of group.entries()) resolve(outcomes[i] ?? emptyOutcome());
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
  }

  async #store(batches: readonly (RecordBatch | 'evaluate')[]): Promise<Outcome[]> {
    const draft: Draft = {
      states: new Map(),
      points: new PointColumns(),
      quarantined: [],
      dropped: new Map(),
      missing: new Map(),
      kept: 0,
      heard: false,
    };
    const outcomes = batches.map((batch) =>
      batch === 'evaluate' ? this.#silence(draft) : this.#read(batch, draft),
    );
    const positions = batches.flatMap((batch) => (batch === 'evaluate' ? [] : batch.checkpoints));
    const staged = this.#book.stage(draft.states, draft.heard ? this.#deps.clock.now() : undefined);
    const checkpoints = [...staged.checkpoints, ...positions];
    const block = draft.points.block();
    const { quarantined: refused, kept, dropped } = draft;
    const store = async (): Promise<void> => {
      if (block.length > 0 || checkpoints.length > 0) {
        await this.#deps.writer.write(block, checkpoints);
      }
    };
    await this.#deliver({ store, quarantined: refused, kept, dropped }, this.#stop.signal);
    this.#book.accept(staged);
    for (const [key, state] of draft.states) {
      const runs = staged.gone.has(key) ? [] : (state?.runs ?? []);
      this.#series.keep(key, new Set(runs.map(({ run }) => run)));
    }
    for (const key of staged.gone) this.#series.keep(key, new Set());
    if (staged.evicted > 0) this.#count.evicted({}, staged.evicted);
    for (const [name, count] of draft.missing) this.#count.missing({ field: name }, count);
    this.#count.queries({ ...this.#deps.labels }, this.#book.size);
    return outcomes;
  }

  #read(batch: RecordBatch, draft: Draft): Outcome {
    const outcome = emptyOutcome();
    for (const raw of batch.records()) {
      const fate = this.#fateOf(raw, batch, draft);
      if (fate.fate === 'kept') {
        draft.kept += 1;
        outcome.stored += 1;
        continue;
      }
      if (fate.fate === 'dropped' && fate.reason === DUPLICATE) {
        draft.dropped.set(DUPLICATE, (draft.dropped.get(DUPLICATE) ?? 0) + 1);
        outcome.duplicates += 1;
        continue;
      }
      const { reason } = fate;
      outcome[fate.fate] += 1;
      outcome.verdicts.push({ line: raw.line, fate: fate.fate, reason });
      if (fate.fate === 'dropped') draft.dropped.set(reason, (draft.dropped.get(reason) ?? 0) + 1);
      else draft.quarantined.push(this.#refused(raw, batch, reason));
    }
    return outcome;
  }

  #fateOf(raw: RawText, batch: RecordBatch, draft: Draft): Fate<ParsedRecord> {
    const { application, onlyProjects } = batch.origin;
    if (raw.refused !== undefined) return { ...raw.refused, raw: raw.text };
    try {
      const fate = parseRecord(raw.text, { application, receivedAt: batch.receivedAt });
      if (raw.cut && fate.fate !== 'dropped') return quarantined('too-long', raw.text);
      if (fate.fate !== 'kept') return fate;
      const { project } = fate.record;
      if (project !== undefined && onlyProjects?.includes(project) === false) {
        return dropped(FOREIGN_PROJECT);
      }
      return this.#keep(fate.record, batch, draft) ? fate : dropped(DUPLICATE);
    } catch (error) {
      // A bug here must neither lose the record nor stop its source.
      this.#deps.logger.error({ err: error, record: raw.id }, 'a progress record met a bug');
      return quarantined('internal-error', raw.text);
    }
  }

  #refused(raw: RawText, { origin, receivedAt }: RecordBatch, reason: string): QuarantinedRecord {
    return {
      id: raw.id,
      collector: 'progress',
      source: printOrigin(origin),
      reason,
      project: origin.project ?? UNATTRIBUTED,
      observedAt: receivedAt,
      raw: raw.text.slice(0, RAW_CHARS),
    };
  }

  #keep({ record, project }: ParsedRecord, { origin }: RecordBatch, draft: Draft): boolean {
    const { cluster } = origin;
    const place = {
      project:
        project ??
        origin.project ??
        this.#deps.projectOf?.(cluster, record.application) ??
        UNATTRIBUTED,
      cluster,
      query: record.query,
    };
    const key = queryKey(place, record.application);
    const before = this.#state(key, draft);
    if (before === undefined && place.project !== UNATTRIBUTED) {
      this.#moveAway({ ...place, project: UNATTRIBUTED }, record.application, draft);
    }
    const applied = applyRecord(before ?? emptyState(place), record, this.#limits);
    if (record.kind === 'terminated' && record.exception !== null && !applied.duplicate) {
      const { query, run, exception } = record;
      this.#deps.logger.info({ ...place, query, run, exception }, 'streaming query failed');
    }
    if (record.kind === 'progress') {
      for (const name of record.missing) {
        draft.missing.set(name, (draft.missing.get(name) ?? 0) + 1);
      }
    }
    draft.heard = true;
    this.#add(key, applied.state, applied.readings, draft);
    return !applied.duplicate;
  }

  /** A query that was nobody's until its application became known ends there, and begins anew. */
  #moveAway(place: QueryPlace, app: string, draft: Draft): void {
    const key = queryKey(place, app);
    const state = this.#state(key, draft);
    const run = state === undefined ? undefined : newestRun(state);
    if (state === undefined || run === undefined) return;
    const end: LifecycleRecord = {
      kind: 'terminated',
      query: place.query,
      run: run.run,
      application: run.application,
      name: undefined,
      at: null,
      exception: null,
      errorClass: null,
    };
    const applied = applyRecord(state, end, this.#limits);
    this.#add(key, applied.state, applied.readings, draft);
    draft.states.set(key, null);
  }

  #silence(draft: Draft): Outcome {
    const now = this.#deps.clock.now();
    for (const [key, , heardAt] of this.#book) {
      // What is in the draft was heard of just now.
      if (draft.states.has(key)) continue;
      const state = this.#state(key, draft);
      if (state === undefined) continue;
      const applied = applySilence(state, now, heardAt, this.#limits);
      if (applied !== undefined) this.#add(key, applied.state, applied.readings, draft);
      const run = newestRun(state);
      const over = run === undefined || run.ended !== null || run.silent || run.lastAt === null;
      if (over && now - heardAt > this.#deps.config.forgetAfterMs) draft.states.set(key, null);
    }
    return emptyOutcome();
  }

  #state(key: string, draft: Draft): QueryState | undefined {
    const changed = draft.states.get(key);
    return changed === undefined ? this.#book.get(key) : (changed ?? undefined);
  }

  #add(key: string, state: QueryState, readings: readonly Reading[], draft: Draft): void {
    draft.states.set(key, state);
    for (const reading of readings) {
      const refs = this.#series.refsOf(key, state, reading);
      for (const [i, [, value]] of reading.fields.entries()) {
        const ref = refs[i];
        if (ref !== undefined) draft.points.add(ref, reading.at, value);
      }
    }
  }
}

function emptyOutcome(): Outcome {
  return { stored: 0, duplicates: 0, dropped: 0, quarantined: 0, verdicts: [] };
}

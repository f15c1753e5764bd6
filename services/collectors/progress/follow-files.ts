import type { Clock } from '../../../shared/runtime/clock.ts';
import type { Checkpoint } from '../../../shared/stores/checkpoint.ts';
import { parseProjectId } from '../../../shared/values/project-id.ts';
import type { FileChunk, FileEnd, FileEvent, TailedFile } from '../inputs/file-event.ts';
import type { StreamClaims } from '../inputs/stream-claims.ts';
import type { ProgressConfig } from './config.ts';
import { type Line, LineReader } from './line-reader.ts';
import type { ProgressCollector } from './progress-collector.ts';
import type { Origin, RawText } from './record-batch.ts';

type Putter = Pick<ProgressCollector, 'put'>;

export interface FollowDeps {
  readonly source: ProgressConfig['files'][number];
  readonly maxRecordBytes: number;
  readonly collector: Putter;
  /** Of a source that several processes divide: the streams' own collectors. */
  readonly shared?: { readonly claims: StreamClaims; collectorOf(stream: string): Putter };
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

interface OpenFile {
  readonly file: TailedFile;
  readonly reader: LineReader;
  /** Bytes read. */
  end: number;
  /** The rotated file in which the first line began, until that line is whole. */
  before: OpenFile | undefined;
}

function originOf(file: TailedFile, source: FollowDeps['source']): Origin {
  const { project, application, cluster } = file.captures;
  return {
    name: file.path,
    project: parseProjectId(project ?? '') ?? source.project,
    cluster: cluster ?? source.cluster,
    application: application ?? '',
  };
}

/** Lines of files with the positions behind them, as batches of a collector. */
class FileLines {
  readonly #deps: FollowDeps;
  readonly #signal: AbortSignal;
  readonly #failed = new AbortController();
  readonly #files = new Map<string, OpenFile>();
  /** Rotated files that ended in half a line, by stream. */
  readonly #halves = new Map<string, OpenFile>();
  readonly #pending = new Set<Promise<unknown>>();

  constructor(deps: FollowDeps) {
    this.#deps = deps;
    this.#signal = AbortSignal.any([deps.signal, this.#failed.signal]);
  }

  /** Throws what a batch failed with. */
  throwIfFailed(): void {
    this.#failed.signal.throwIfAborted();
  }

  async data({ file, bytes, start, end }: FileChunk): Promise<void> {
    const open = this.#open(file, start);
    const linesBefore = open.reader.lines;
    const lines = open.reader.push(bytes, start);
    open.end = end;
    const whole = open.reader.lines > linesBefore;
    // While half a line of the rotated file waits for its rest, neither file has moved on.
    if (open.before !== undefined && !whole) return;
    const checkpoints = [file.checkpoint(open.reader.openSince ?? end)];
    const { before } = open;
    if (before !== undefined) checkpoints.push(before.file.checkpoint(before.end));
    open.before = undefined;
    await this.#send(file, lines, checkpoints);
  }

  /** A file that is gone for days leaves no position behind. */
  async forgotten(checkpoint: Checkpoint): Promise<void> {
    const origin = { name: '', project: undefined, cluster: '', application: '' };
    await this.#put(this.#deps.collector, { origin, records: [], checkpoints: [checkpoint] });
  }

  /** Gives leaving streams away once all that was read of them is stored; half a line is read again. */
  async leave(claims: StreamClaims): Promise<void> {
    await Promise.all(this.#pending);
    this.throwIfFailed();
    for (const files of [this.#files, this.#halves]) {
      for (const [key, { file }] of files) if (claims.isLeaving(file.stream)) files.delete(key);
    }
    claims.left();
  }

  async ended({ file, reason, end }: FileEnd): Promise<void> {
    const open = this.#files.get(file.source);
    this.#files.delete(file.source);
    if (open === undefined) return;
    if (reason === 'rotated' && open.reader.openSince !== undefined) {
      this.#halves.set(file.stream, open);
      return;
    }
    await this.#send(file, open.reader.flush(), [file.checkpoint(end)]);
  }

  #open(file: TailedFile, start: number): OpenFile {
    const known = this.#files.get(file.source);
    if (known !== undefined) return known;
    const half = start === 0 ? this.#halves.get(file.stream) : undefined;
    const reader = half?.reader ?? new LineReader(this.#deps.maxRecordBytes);
    this.#halves.delete(file.stream);
    const open: OpenFile = { file, reader, end: start, before: half };
    this.#files.set(file.source, open);
    return open;
  }

  async #send(file: TailedFile, lines: readonly Line[], checkpoints: Checkpoint[]): Promise<void> {
    const records = lines.map(({ text, start, cut }, i) => {
      const id = `${file.source}:${start}`;
      return { id, text, line: i + 1, cut };
    });
    const { collector, shared, source } = this.#deps;
    const taker = shared === undefined ? collector : shared.collectorOf(file.stream);
    await this.#put(taker, { origin: originOf(file, source), records, checkpoints });
  }

  async #put(
    taker: Putter,
    work: {
      readonly origin: Origin;
      readonly records: readonly RawText[];
      readonly checkpoints: readonly Checkpoint[];
    },
  ): Promise<void> {
    const { clock } = this.#deps;
    const { origin, records, checkpoints } = work;
    const bytes = records.reduce((sum, { text }) => sum + text.length, 0);
    const receivedAt = clock.now();
    const batch = { origin, receivedAt, records: () => records, checkpoints, bytes };
    const { stored } = await taker.put(batch, this.#signal);
    const settled = stored
      .catch((error: unknown) => this.#failed.abort(error))
      .finally(() => this.#pending.delete(settled));
    this.#pending.add(settled);
  }
}

/**
 * Reads records out of files as they grow. What is stored comes with the position behind it, so
 * that a file is read on exactly where its records end. Rejects when a batch couldn't be stored.
 */
export async function followFiles(
  events: AsyncIterable<FileEvent>,
  deps: FollowDeps,
): Promise<void> {
  const lines = new FileLines(deps);
  for await (const event of events) {
    lines.throwIfFailed();
    if (deps.signal.aborted) return;
    if (event.kind === 'data') await lines.data(event);
    else if (event.kind === 'end') await lines.ended(event);
    else if (event.kind === 'forgotten') await lines.forgotten(event.checkpoint);
    else if (deps.shared?.claims.mustLeave === true) await lines.leave(deps.shared.claims);
  }
}

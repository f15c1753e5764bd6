import { AppError } from '../../errors/app-error.ts';
import { backoffMs } from '../../runtime/backoff.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type BulkLine, bulkBody } from './bulk-body.ts';
import { BULK_FILTER, type BulkFate, bulkFates } from './bulk-item.ts';
import { BulkSize } from './bulk-size.ts';
import type { ElasticAnswer, ElasticRequests } from './elastic-requests.ts';

const BASE_MS = 100;
const CAP_MS = 5_000;

export interface BulkSenderDeps {
  readonly requests: Pick<ElasticRequests, 'send' | 'url'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly bulkBytes: number;
  readonly concurrentBulks: number;
  readonly retryForMs: number;
}

export interface BulkResult {
  readonly stored: number;
  readonly duplicates: number;
  /** Positions of lines that the server will never take, with the reason. */
  readonly refused: readonly { readonly position: number; readonly why: string }[];
}

/** The lines of one call, which succeed or fail together. */
interface Job {
  readonly lines: readonly BulkLine[];
  /** Moves on with each line that is settled: only a call that stands still fails. */
  deadline: number;
  readonly refused: { position: number; why: string }[];
  stored: number;
  duplicates: number;
  open: number;
  over: boolean;
  resolve(result: BulkResult): void;
  reject(error: unknown): void;
}

interface Waiting {
  readonly job: Job;
  readonly position: number;
  readonly line: BulkLine;
  attempts: number;
}

/** The server's word on each line, or the error instead of it. */
type Answer =
  | { readonly fates: readonly BulkFate[] }
  | { readonly error: unknown }
  /** In smaller pieces it goes. */
  | { readonly tooLarge: true };

/**
 * Sends lines as bulks: few at a time, calls put together while those before them are under way,
 * each bulk as large as the server takes. What may succeed later is tried again with jittered
 * backoff until its call's time is over.
 */
export class BulkSender implements AsyncDisposable {
  readonly #deps: BulkSenderDeps;
  readonly #size: BulkSize;
  readonly #closing = new AbortController();
  readonly #working = new Set<Promise<void>>();
  /** Those that were tried before come first. */
  #again: Waiting[] = [];
  #queue: Waiting[] = [];
  #inFlight = 0;
  /** Bulks in a row that the server was too busy for. */
  #busy = 0;

  constructor(deps: BulkSenderDeps) {
    this.#deps = deps;
    this.#size = new BulkSize(deps.bulkBytes);
  }

  /** How large a bulk may be now, in bytes. */
  get bulkBytes(): number {
    return this.#size.bytes;
  }

  /**
   * Resolves when each line is acknowledged or refused for good.
   *
   * @throws AppError STORE_UNAVAILABLE, DISK_FULL, or STORE_MISCONFIGURED when a person must act:
   *   some lines may be stored then, and all may be sent again
   */
  send(lines: readonly BulkLine[]): Promise<BulkResult> {
    if (this.#closing.signal.aborted) return Promise.reject(this.#closed());
    if (lines.length === 0) return Promise.resolve({ stored: 0, duplicates: 0, refused: [] });
    return new Promise((resolve, reject) => {
      const job: Job = {
        lines,
        deadline: this.#deps.clock.elapsed() + this.#deps.retryForMs,
        refused: [],
        stored: 0,
        duplicates: 0,
        open: lines.length,
        over: false,
        resolve,
        reject,
      };
      for (const [position, line] of lines.entries()) {
        this.#queue.push({ job, position, line, attempts: 0 });
      }
      this.#pump();
    });
  }

  /** What is queued is sent once more; nothing is tried again after that. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    while (this.#working.size > 0) await Promise.all(this.#working);
  }

  #pump(): void {
    while (this.#inFlight < this.#deps.concurrentBulks) {
      const chunk = this.#take();
      if (chunk.length === 0) return;
      this.#inFlight += 1;
      this.#track(
        this.#deliver(chunk).finally(() => {
          this.#inFlight -= 1;
          this.#pump();
        }),
      );
    }
  }

  #track(work: Promise<void>): void {
    const tracked: Promise<void> = work.finally(() => this.#working.delete(tracked));
    this.#working.add(tracked);
  }

  /** As many lines as one bulk may have now, without those of calls that failed meanwhile. */
  #take(): Waiting[] {
    const chunk: Waiting[] = [];
    let room = this.#size.bytes;
    for (const list of [this.#again, this.#queue]) {
      let taken = 0;
      for (const one of list) {
        if (!one.job.over) {
          if (chunk.length > 0 && one.line.bytes > room) break;
          room -= one.line.bytes;
          chunk.push(one);
        }
        taken += 1;
      }
      const rest = list.slice(taken);
      if (list === this.#again) this.#again = rest;
      else this.#queue = rest;
      if (rest.length > 0) break;
    }
    return chunk;
  }

  async #deliver(chunk: readonly Waiting[]): Promise<void> {
    const answer = await this.#post(chunk);
    if ('tooLarge' in answer) {
      this.#again = [...chunk, ...this.#again];
      return;
    }
    const retried: Waiting[] = [];
    let busy = false;
    for (const [i, one] of chunk.entries()) {
      const failure = 'error' in answer ? answer.error : this.#note(one, answer.fates[i]);
      if (failure === undefined) continue;
      one.attempts += 1;
      // Anything else than an error of the world is a bug, which no second try mends.
      if (this.#isOver(one.job) || !(failure instanceof AppError)) this.#fail(one.job, failure);
      else retried.push(one);
      busy ||= codeOf(failure) !== 'STORE_MISCONFIGURED';
    }
    this.#busy = busy ? this.#busy + 1 : 0;
    if (retried.length === 0) return;
    const wait = this.#waitFor(retried, busy ? this.#busy : 0);
    // A busy server gets no other bulk on this place; a wrong index keeps nobody else waiting.
    if (busy) await wait;
    else this.#track(wait.then(() => this.#pump()));
  }

  /** Settles a line; the error when it is to be tried again. */
  #note({ job, position }: Waiting, fate: BulkFate | undefined): AppError | undefined {
    if (fate === undefined) return this.#error('STORE_UNAVAILABLE', 'gave no answer to a line');
    switch (fate.kind) {
      case 'stored':
        job.stored += 1;
        break;
      case 'duplicate':
        job.duplicates += 1;
        break;
      case 'refused':
        job.refused.push({ position, why: fate.why });
        break;
      case 'later':
        return this.#error('STORE_UNAVAILABLE', `is busy (${fate.why})`);
      case 'full':
        return this.#error('DISK_FULL', `has no room on its disk (${fate.why}); free some`);
      case 'wrong':
        return this.#error(
          'STORE_MISCONFIGURED',
          `refuses what is written (${fate.why}); run "tollgate stores check"`,
        );
    }
    job.open -= 1;
    job.deadline = this.#deps.clock.elapsed() + this.#deps.retryForMs;
    if (job.open === 0 && !job.over) {
      job.over = true;
      job.resolve({ stored: job.stored, duplicates: job.duplicates, refused: job.refused });
    }
    return undefined;
  }

  async #post(chunk: readonly Waiting[]): Promise<Answer> {
    const bytes = chunk.reduce((sum, { line }) => sum + line.bytes, 0);
    let answer: ElasticAnswer;
    try {
      answer = await this.#deps.requests.send({
        method: 'POST',
        path: '/_bulk',
        query: { filter_path: BULK_FILTER, timeout: '5s' },
        lines: bulkBody(chunk.map(({ line }) => line)),
      });
    } catch (error) {
      return { error };
    }
    if (answer.status === 413) return this.#tooLarge(chunk, bytes);
    const fates = bulkFates(answer, chunk.length);
    if (answer.status === 429 || fates.some(({ kind }) => kind === 'later')) {
      this.#size.refused(bytes);
    } else this.#size.accepted();
    return { fates };
  }

  #tooLarge(chunk: readonly Waiting[], bytes: number): Answer {
    if (chunk.length > 1) {
      this.#size.tooLarge(bytes);
      return { tooLarge: true };
    }
    return { fates: [{ kind: 'refused', why: `413: a line of ${bytes} bytes is too long` }] };
  }

  #isOver(job: Job): boolean {
    return this.#closing.signal.aborted || this.#deps.clock.elapsed() >= job.deadline;
  }

  #fail(job: Job, error: unknown): void {
    if (job.over) return;
    job.over = true;
    job.reject(error);
  }

  async #waitFor(retried: readonly Waiting[], busy: number): Promise<void> {
    const attempts = retried.reduce((most, one) => Math.max(most, one.attempts), busy) - 1;
    const options = { baseMs: BASE_MS, capMs: CAP_MS, random: this.#deps.random };
    const first = retried.reduce(
      (least, { job }) => Math.min(least, job.deadline),
      Number.POSITIVE_INFINITY,
    );
    const left = first - this.#deps.clock.elapsed();
    // The last try comes at the end of the time, not after it.
    const waitMs = Math.min(backoffMs(attempts, options), Math.max(0, left));
    await this.#deps.clock.sleep(waitMs, this.#closing.signal);
    for (const one of retried) this.#again.push(one);
  }

  #error(code: 'STORE_UNAVAILABLE' | 'STORE_MISCONFIGURED' | 'DISK_FULL', what: string): AppError {
    return new AppError(code, `Elasticsearch at ${this.#deps.requests.url} ${what}`);
  }

  #closed(): AppError {
    return new AppError('STORE_UNAVAILABLE', 'the log store is closed');
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof AppError ? error.code : undefined;
}

import type { RunningTollgate } from '../../support/running-tollgate.ts';

interface Found {
  readonly key: string;
  readonly at: string;
  readonly application: string;
  readonly container: string;
}
interface Page {
  readonly logs: readonly Found[];
  readonly cursor: string | null;
}

/** Of one container: from a line's own time until a search found it, in ms. */
export interface Arrivals {
  readonly container: string;
  readonly lines: number;
  readonly medianMs: number;
  readonly longestMs: number;
}

const PAUSE_MS = 100;
/** A line that comes later than this after its time is not seen here; the test counts lines. */
const BACK_MS = 60_000;

/**
 * Searches the log lines of a project's one application again and again, as somebody would who looks
 * at it now, and notes when each line is found first. Senders share this machine's clock.
 */
export class LogArrivals implements AsyncDisposable {
  readonly #tollgate: RunningTollgate;
  readonly #project: string;
  readonly #over = new AbortController();
  readonly #lags = new Map<string, number[]>();
  readonly #seen = new Set<string>();
  #application = '';
  readonly #watching: Promise<void>;

  private constructor(tollgate: RunningTollgate, project: string) {
    this.#tollgate = tollgate;
    this.#project = project;
    this.#watching = this.#watch();
  }

  static start(tollgate: RunningTollgate, project: string): LogArrivals {
    return new LogArrivals(tollgate, project);
  }

  /** By container. */
  found(): Arrivals[] {
    return [...this.#lags]
      .map(([container, lags]) => {
        const sorted = lags.toSorted((a, b) => a - b);
        const medianMs = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
        return {
          container,
          lines: sorted.length,
          medianMs,
          longestMs: sorted.at(-1) ?? Number.NaN,
        };
      })
      .sort((a, b) => a.container.localeCompare(b.container));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    while (!this.#over.signal.aborted) {
      const from = new Date(Date.now() - BACK_MS).toISOString();
      // An older page holds new lines only where the one before it did.
      let cursor: string | null = '';
      while (cursor !== null) {
        const page: Page = await this.#search(from, cursor);
        cursor = this.#note(page.logs) ? page.cursor : null;
      }
      await new Promise((next) => setTimeout(next, PAUSE_MS));
    }
  }

  #search(from: string, cursor: string): Promise<Page> {
    const query = new URLSearchParams({ from, limit: '1000' });
    if (this.#application !== '') query.set('application', this.#application);
    if (cursor !== '') query.set('cursor', cursor);
    // A project without a line is none yet.
    const none: Page = { logs: [], cursor: null };
    return this.#tollgate
      .get<Page>(`/v1/projects/${this.#project}/logs?${query}`)
      .catch(() => none);
  }

  /** @return whether any is new */
  #note(logs: readonly Found[]): boolean {
    const now = Date.now();
    // A driver's first lines carry no application, and are not what is looked for here.
    const fresh = logs.filter(({ key, application }) => application !== '' && !this.#seen.has(key));
    for (const { key, at, application, container } of fresh) {
      this.#application = application;
      this.#seen.add(key);
      const lags = this.#lags.get(container) ?? [];
      lags.push(now - Date.parse(at));
      this.#lags.set(container, lags);
    }
    return fresh.length > 0;
  }
}

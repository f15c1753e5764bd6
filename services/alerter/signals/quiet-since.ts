import { HOUR_MS, type Instant, MINUTE_MS } from '../../../shared/values/instant.ts';
import type { SignalDeps } from './signal-deps.ts';

type Deps = Pick<SignalDeps, 'journal'>;

const LOOKBACK_MS = 24 * HOUR_MS;
/** Loads of a window; at one each 10 s an hour has 360. */
const LOADS_MAX = 5_000;
/** Between two loads further apart anything may have run. */
const GAP_MS = 5 * MINUTE_MS;

interface Quiet {
  readonly since: Instant;
  readonly asOf: Instant;
}

/**
 * Since when a cluster has had nothing allocated, as its manager's loads tell; undefined while
 * something is, or where nobody tells. Each spell is read once: the next question goes on from it.
 */
export class QuietSince {
  readonly #deps: Deps;
  readonly #known = new Map<string, Quiet>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async read(cluster: string, at: Instant): Promise<Quiet | undefined> {
    const quiet = await this.#walk(cluster, at);
    const known = this.#known.get(cluster);
    if (quiet !== undefined) this.#known.set(cluster, quiet);
    else if (known !== undefined && known.asOf <= at) this.#known.delete(cluster);
    return quiet;
  }

  /** Back from `at`, load by load, until one that is busy, a gap, or what is known already. */
  async #walk(cluster: string, at: Instant): Promise<Quiet | undefined> {
    const known = this.#known.get(cluster);
    let quiet: Quiet | undefined;
    for (let until = at + 1; until > at - LOOKBACK_MS; until -= HOUR_MS) {
      const loads = await this.#deps.journal.loads(cluster, until - HOUR_MS, until, LOADS_MAX);
      if (loads.length === 0) return quiet;
      for (const load of loads.toReversed()) {
        if (load.allocated.millicores > 0) return quiet;
        if ((quiet?.since ?? at) - load.at > GAP_MS) return quiet;
        quiet = { since: load.at, asOf: quiet?.asOf ?? load.at };
        if (known !== undefined && known.since <= load.at && load.at <= known.asOf) {
          return { since: known.since, asOf: quiet.asOf };
        }
      }
    }
    return quiet;
  }
}

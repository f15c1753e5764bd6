import { AppError } from '../../../shared/errors/app-error.ts';
import type { Clock } from '../../../shared/runtime/clock.ts';
import type { StoredToken, TokenStore } from '../../../shared/stores/token-store.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';
import type { Instant } from '../../../shared/values/instant.ts';

/** How often the tokens are read again: a revoked one is refused after at most this time. */
export const TOKEN_REFRESH_MS = 2_000;
/** How long tokens are believed while their store doesn't answer; afterwards nobody is let in. */
export const TOKEN_STALE_MS = 30_000;
/** A token that nobody knows is looked for in the store, but not more often than this. */
const MISS_REFRESH_MS = 250;
/** How coarse `lastUsedAt` is. */
const USES_MS = 60_000;

interface CacheDeps {
  readonly store: TokenStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** All tokens that can be used, in memory, so that no request waits for their store. */
export class TokenCache implements AsyncDisposable {
  readonly #deps: CacheDeps;
  readonly #stop = new AbortController();
  readonly #loop: Promise<void>;
  #tokens = new Map<string, StoredToken>();
  #isEmpty = true;
  #readAt = -Infinity;
  #uses = new Map<string, Instant>();
  #usesAt: number;
  #reading: Promise<void> | undefined;
  #failing = false;

  private constructor(deps: CacheDeps) {
    this.#deps = deps;
    this.#usesAt = deps.clock.elapsed();
    this.#loop = this.#run();
  }

  /** @throws AppError of the store, which must answer once */
  static async open(deps: CacheDeps): Promise<TokenCache> {
    const cache = new TokenCache(deps);
    try {
      await cache.#read();
    } catch (error) {
      await cache[Symbol.asyncDispose]();
      throw error;
    }
    return cache;
  }

  /** Whether no token was ever made. Revoking all of them opens nothing. */
  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  /** At once when it is known; else the store may be asked, since it may just have been made. */
  find(id: string): StoredToken | undefined | Promise<StoredToken | undefined> {
    const age = this.#deps.clock.elapsed() - this.#readAt;
    const token = this.#tokens.get(id);
    if (age > TOKEN_STALE_MS) return this.#findAgain(id);
    return token !== undefined || age < MISS_REFRESH_MS ? token : this.#findAgain(id);
  }

  async #findAgain(id: string): Promise<StoredToken | undefined> {
    try {
      await this.#readOnce();
    } catch (cause) {
      if (this.#deps.clock.elapsed() - this.#readAt <= TOKEN_STALE_MS) return this.#tokens.get(id);
      const message =
        'the store of tokens does not answer, so nobody can be let in; try again later';
      throw new AppError('STORE_UNAVAILABLE', message, { cause });
    }
    return this.#tokens.get(id);
  }

  /** Reads now, so that a token that this process has made is known at once. */
  async refresh(): Promise<void> {
    // A read that is under way may have begun before.
    await Promise.allSettled([this.#reading]);
    await this.#readOnce();
  }

  tokens(): Iterable<StoredToken> {
    return this.#tokens.values();
  }

  noteUse(id: string): void {
    this.#uses.set(id, this.#deps.clock.now());
  }

  #readOnce(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    const { store, clock } = this.#deps;
    const askedAt = clock.elapsed();
    const tokens = await store.usable(clock.now());
    if (this.#isEmpty) this.#isEmpty = tokens.length === 0 && (await store.isEmpty());
    this.#tokens = new Map(tokens.map((token) => [token.id, token]));
    this.#readAt = askedAt;
  }

  async #writeUses(): Promise<void> {
    const uses = this.#uses;
    this.#uses = new Map();
    this.#usesAt = this.#deps.clock.elapsed();
    await this.#deps.store.used(uses);
  }

  async #run(): Promise<void> {
    const { clock, logger } = this.#deps;
    const { signal } = this.#stop;
    for (;;) {
      await clock.sleep(TOKEN_REFRESH_MS, signal);
      if (signal.aborted) return;
      try {
        await this.#readOnce();
        if (clock.elapsed() - this.#usesAt >= USES_MS) await this.#writeUses();
        this.#failing = false;
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        if (!this.#failing) logger.warn({ error: text }, 'the tokens cannot be read for now');
        this.#failing = true;
      }
    }
  }

  /** Writes what is known of uses, so far as the store answers. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    try {
      await this.#writeUses();
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.#deps.logger.warn({ error: text }, 'the last uses of tokens were not kept');
    }
  }
}

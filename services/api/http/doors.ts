import type { IncomingMessage } from 'node:http';
import { isLoopback } from '../../../shared/config/loopback.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { Clock } from '../../../shared/runtime/clock.ts';
import type { StoredToken, TokenStore } from '../../../shared/stores/token-store.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';
import type { Metrics } from '../../../shared/telemetry/metrics.ts';
import {
  hashSecret,
  isSecretOf,
  parseApiToken,
  type RandomBytes,
} from '../../../shared/tokens/api-token.ts';
import { issueToken } from '../../../shared/tokens/issue-token.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import { AdminLink, LINK_SESSION_MS } from './admin-link.ts';
import { AttemptLimit } from './attempt-limit.ts';
import { ANYBODY, type Caller } from './caller.ts';
import { type Credential, cookieName, credentialOf } from './credential.ts';
import { TokenCache } from './token-cache.ts';

export interface DoorsOptions {
  readonly store: TokenStore;
  /** Real time: tokens expire by it, whatever a demo plays. */
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Address that the listener binds. */
  readonly host: string;
  /** Whether the listener speaks TLS. */
  readonly isSecure: boolean;
  /** Asks for tokens on loopback too. */
  readonly requireToken: boolean;
}

type Refusal = 'malformed' | 'unknown' | 'wrong-secret' | 'expired' | 'link';

/** Compared with where no token is known, so that the answer takes as long. */
const NOBODY = hashSecret('');

/** Who may come in: on loopback everybody until the first token is made, else who has a token. */
export class Doors implements AsyncDisposable {
  readonly #options: DoorsOptions;
  readonly #cache: TokenCache;
  readonly #limit: AttemptLimit;
  readonly #callers = new WeakMap<IncomingMessage, Caller>();
  readonly #refused: (labels: { readonly reason: string }) => void;
  readonly #mustSignIn: boolean;
  readonly cookie: string;
  #link: AdminLink | undefined;

  private constructor(options: DoorsOptions, cache: TokenCache) {
    this.#options = options;
    this.#cache = cache;
    this.#limit = new AttemptLimit(options.clock);
    this.#mustSignIn = options.requireToken || !isLoopback(options.host);
    this.cookie = cookieName(options.isSecure);
    this.#refused = options.metrics.counter(
      'tollgate_sign_in_refused_total',
      'Requests whose token was refused, by reason.',
    );
  }

  /** @throws AppError when the store of tokens doesn't answer */
  static async open(options: DoorsOptions): Promise<Doors> {
    const doors = new Doors(options, await TokenCache.open(options));
    const isOwned = [...doors.#cache.tokens()].some(({ scopes }) => scopes.includes('admin'));
    if (doors.mustSignIn && !isOwned) {
      doors.#link = new AdminLink(options.random, options.clock.now());
    }
    return doors;
  }

  /** Once a token was made, being on loopback is no longer enough. */
  get mustSignIn(): boolean {
    return this.#mustSignIn || !this.#cache.isEmpty;
  }

  now(): Instant {
    return this.#options.clock.now();
  }

  get isSecure(): boolean {
    return this.#options.isSecure;
  }

  /** Whether only this machine can reach the listener. */
  get isLocal(): boolean {
    return isLoopback(this.#options.host);
  }

  /** Secret of the first administrator's link; undefined where one has a token or none is asked. */
  get adminLink(): string | undefined {
    return this.#link?.secret;
  }

  /**
   * Who sends a request; without a promise where the token is known.
   *
   * @throws AppError UNAUTHENTICATED, OVERLOADED (too many wrong ones), STORE_UNAVAILABLE
   */
  admit(request: IncomingMessage): Caller | Promise<Caller> {
    if (!this.mustSignIn) return this.#remember(request, ANYBODY);
    const credential = credentialOf(request.headers, this.cookie);
    if (credential === undefined) {
      const message = 'send a token as Authorization: Bearer tg_…, or sign in on the page';
      throw new AppError('UNAUTHENTICATED', message);
    }
    const caller = this.check(request, credential);
    return caller instanceof Promise
      ? caller.then((late) => this.#remember(request, late))
      : this.#remember(request, caller);
  }

  /** Who was let in with a request. */
  callerOf(request: IncomingMessage): Caller | undefined {
    return this.#callers.get(request);
  }

  #remember(request: IncomingMessage, caller: Caller): Caller {
    this.#callers.set(request, caller);
    return caller;
  }

  /** Whose a token is. @throws AppError as `admit` does */
  check(request: IncomingMessage, { from, text }: Credential): Caller | Promise<Caller> {
    const address = request.socket.remoteAddress ?? '';
    const token = parseApiToken(text);
    this.#demandPatience(address, token?.id);
    if (token === undefined) throw this.#refuse(address, 'malformed', from);
    const judge = (known: StoredToken | undefined): Caller => {
      const isRight = isSecretOf(token.secret, known?.secretHash ?? NOBODY);
      if (known === undefined) throw this.#refuse(address, 'unknown', from);
      if (!isRight) throw this.#refuse(address, 'wrong-secret', from);
      if (known.expiresAt !== undefined && known.expiresAt <= this.#options.clock.now()) {
        throw this.#refuse(address, 'expired', from);
      }
      this.#limit.accepted(address, known.id);
      this.#cache.noteUse(known.id);
      return known;
    };
    const known = this.#cache.find(token.id);
    return known instanceof Promise ? known.then(judge) : judge(known);
  }

  /**
   * Makes an administrator's token for the one-time link.
   *
   * @throws AppError UNAUTHENTICATED, OVERLOADED
   */
  async redeem(request: IncomingMessage, secret: string): Promise<string> {
    const { clock, logger } = this.#options;
    const address = request.socket.remoteAddress ?? '';
    this.#demandPatience(address, undefined);
    const now = clock.now();
    if (this.#link?.redeem(secret, now) !== true) throw this.#refuse(address, 'link', 'header');
    const { id, text } = await issueToken(this.#options, {
      label: 'one-time admin link',
      scopes: ['admin'],
      projects: undefined,
      createdAt: now,
      expiresAt: now + LINK_SESSION_MS,
    });
    await this.#cache.refresh();
    logger.warn({ tokenId: id, address }, 'the one-time admin link was used');
    return text;
  }

  #demandPatience(address: string, id: string | undefined): void {
    const retryAfterMs = this.#limit.waitMs(address, id);
    if (retryAfterMs === 0) return;
    this.#refused({ reason: 'too-many' });
    const message = 'too many wrong tokens came from this address; try again later';
    throw new AppError('OVERLOADED', message, { details: { retryAfterMs } });
  }

  #refuse(address: string, reason: Refusal, from: Credential['from']): AppError {
    this.#limit.failed(address);
    this.#refused({ reason });
    const message =
      reason === 'link'
        ? 'the link was used, is older than an hour, or is another one; start Tollgate again for a new one'
        : 'this token is not valid: it is misspelt, expired or revoked';
    return new AppError('UNAUTHENTICATED', message, { details: { presented: from } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cache[Symbol.asyncDispose]();
  }
}

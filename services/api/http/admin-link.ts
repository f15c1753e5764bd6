import { hashSecret, isSecretOf, type RandomBytes } from '../../../shared/tokens/api-token.ts';
import { HOUR_MS, type Instant } from '../../../shared/values/instant.ts';

/** What an administrator gets for the link: long enough to make tokens, too short to stay. */
export const LINK_SESSION_MS = 12 * HOUR_MS;

/**
 * A secret that makes whoever posts it an administrator, once, within an hour of its making. It is
 * printed as the fragment of an address, which browsers send to nobody, and lives in memory only.
 */
export class AdminLink {
  readonly secret: string;
  readonly #hash: string;
  readonly #until: Instant;
  #used = false;

  constructor(random: RandomBytes, now: Instant) {
    this.secret = random(32).toString('base64url');
    this.#hash = hashSecret(this.secret);
    this.#until = now + HOUR_MS;
  }

  /** True once, for the right secret in time. */
  redeem(secret: string, now: Instant): boolean {
    if (!isSecretOf(secret, this.#hash) || this.#used || now >= this.#until) return false;
    this.#used = true;
    return true;
  }
}

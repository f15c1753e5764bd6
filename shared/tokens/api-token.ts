import { hash, timingSafeEqual } from 'node:crypto';

/** Bytes nobody can foresee, such as node:crypto's randomBytes. */
export type RandomBytes = (size: number) => Buffer;

/** A token as its owner holds it; the secret is never stored, only its hash. */
export interface ApiToken {
  /** Public: it stands in lists and logs. 16 hexadecimal digits. */
  readonly id: string;
  /** 256 bit in base64url, 43 characters. */
  readonly secret: string;
}

const FORM = /^tg_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;

export function newApiToken(random: RandomBytes): ApiToken {
  return { id: random(8).toString('hex'), secret: random(32).toString('base64url') };
}

/** `tg_<id>_<secret>`: the prefix lets scanners of repositories find one that leaked. */
export function formatApiToken({ id, secret }: ApiToken): string {
  return `tg_${id}_${secret}`;
}

/** Undefined for anything that was never a token. */
export function parseApiToken(text: string): ApiToken | undefined {
  const [, id, secret] = FORM.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

/**
 * What is stored in place of a secret, 64 hexadecimal digits. A plain SHA-256 is enough where the
 * secret has 256 bit: slow hashes protect secrets that can be guessed.
 */
export function hashSecret(secret: string): string {
  return hash('sha256', secret, 'hex');
}

/** Compares in a time that doesn't tell where the two differ. */
export function isSecretOf(secret: string, secretHash: string): boolean {
  const given = Buffer.from(hashSecret(secret), 'hex');
  const known = Buffer.from(secretHash, 'hex');
  return given.length === known.length && timingSafeEqual(given, known);
}

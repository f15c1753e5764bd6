import type { Clock } from '../../../shared/runtime/clock.ts';

/** Failed attempts that an address may make at once. */
const BURST = 10;
/** How long it takes to earn another one. */
const REFILL_MS = 6_000;
const ADDRESSES_MAX = 10_000;
const ACCEPTED_MAX = 100;

interface Attempts {
  left: number;
  at: number;
  /** Tokens that were right from this address. */
  readonly accepted: Set<string>;
}

/** One host has a whole /64 of IPv6 addresses to itself. */
function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('%', 1)[0]?.split('::', 2) ?? [];
  const groups = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - after.length);
  return [...groups, ...Array<string>(zeros).fill('0'), ...after].slice(0, 4).join(':');
}

/**
 * How often an address may come with a wrong token. Above it nothing it brings is looked at, but a
 * token that was right from there before: one sender with an old token locks out none of those
 * behind the same address. Bounded: the addresses that came first are forgotten.
 */
export class AttemptLimit {
  readonly #clock: Pick<Clock, 'elapsed'>;
  readonly #attempts = new Map<string, Attempts>();

  constructor(clock: Pick<Clock, 'elapsed'>) {
    this.#clock = clock;
  }

  #of(address: string): Attempts {
    const key = networkOf(address);
    const now = this.#clock.elapsed();
    const known = this.#attempts.get(key);
    if (known === undefined) return this.#add(key, now);
    const earned = Math.floor((now - known.at) / REFILL_MS);
    known.left = Math.min(BURST, known.left + earned);
    known.at += earned * REFILL_MS;
    return known;
  }

  #add(key: string, now: number): Attempts {
    const [oldest] = this.#attempts.keys();
    if (this.#attempts.size >= ADDRESSES_MAX && oldest !== undefined) this.#attempts.delete(oldest);
    const attempts = { left: BURST, at: now, accepted: new Set<string>() };
    this.#attempts.set(key, attempts);
    return attempts;
  }

  /** 0 when a token with this id may be tried now, else how long to wait, in ms. */
  waitMs(address: string, id: string | undefined): number {
    const { left, at, accepted } = this.#of(address);
    if (left > 0 || (id !== undefined && accepted.has(id))) return 0;
    return Math.max(1, at + REFILL_MS - this.#clock.elapsed());
  }

  failed(address: string): void {
    const attempts = this.#of(address);
    // Time earns nothing while nothing was lost.
    if (attempts.left === BURST) attempts.at = this.#clock.elapsed();
    attempts.left = Math.max(0, attempts.left - 1);
  }

  accepted(address: string, id: string): void {
    const { accepted } = this.#of(address);
    const [oldest] = accepted;
    if (accepted.size >= ACCEPTED_MAX && oldest !== undefined) accepted.delete(oldest);
    accepted.add(id);
  }
}

import type { Instant } from '../../../../shared/values/instant.ts';
import { DAY_MS, MINUTE_MS } from '../../../../shared/values/instant.ts';

/** No zone changes its offset more often than on a quarter of an hour. */
const BLOCK_MS = 15 * MINUTE_MS;
const MAX_BLOCKS = 4_096;
/** How far a clock or a buffer may set a line behind the one before it. */
const BACKWARDS_MS = 10 * MINUTE_MS;

/**
 * Turns the wall-clock times of one IANA zone into instants. The zone's offset is asked for once a
 * quarter of an hour of log time, because asking is a thousand times slower than adding.
 *
 * @throws RangeError for a zone that doesn't exist
 */
export class LocalTime {
  readonly #format: Intl.DateTimeFormat | undefined;
  readonly #offsets = new Map<number, number>();

  constructor(zone: string) {
    const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
    this.#format = format.resolvedOptions().timeZone === 'UTC' ? undefined : format;
  }

  /**
   * @param local the wall clock as if it were UTC, in ms
   * @param last instant of the line before: tells the two passes of a repeated hour apart
   */
  toInstant(local: number, last: Instant): Instant {
    if (this.#format === undefined) return local;
    const before = local - this.#offset(local - DAY_MS);
    const after = local - this.#offset(local + DAY_MS);
    if (before === after) return before;
    const candidates = [before, after].filter((at) => at + this.#offset(at) === local);
    const [first = before, second = first] = candidates.sort((a, b) => a - b);
    return first >= last - BACKWARDS_MS ? first : second;
  }

  /** True when the offset is the same a day around: an answer then holds for the whole minute. */
  isSteady(local: number): boolean {
    return (
      this.#format === undefined || this.#offset(local - DAY_MS) === this.#offset(local + DAY_MS)
    );
  }

  #offset(at: Instant): number {
    const block = Math.floor(at / BLOCK_MS);
    let offset = this.#offsets.get(block);
    if (offset === undefined) {
      if (this.#offsets.size >= MAX_BLOCKS) this.#offsets.clear();
      offset = this.#ask(block * BLOCK_MS);
      this.#offsets.set(block, offset);
    }
    return offset;
  }

  #ask(at: Instant): number {
    const name = this.#format
      ?.formatToParts(new Date(at))
      .find(({ type }) => type === 'timeZoneName')?.value;
    const match = /^GMT(?:([+-])(\d{2}):(\d{2}))?/.exec(name ?? '');
    const minutes = Number(match?.[2] ?? 0) * 60 + Number(match?.[3] ?? 0);
    return (match?.[1] === '-' ? -minutes : minutes) * MINUTE_MS;
  }
}

import type { Instant } from '../../../../shared/values/instant.ts';
import { MINUTE_MS } from '../../../../shared/values/instant.ts';
import type { LocalTime } from './local-time.ts';

const DAYS_IN_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Two digits at `at`, or NaN. */
function two(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57;

/**
 * Reads the times that log layouts print: `yy/MM/dd HH:mm:ss` and `yyyy-MM-dd HH:mm:ss` with `/` or
 * `-`, a blank or `T` between, `.SSS` or `,SSS` of any length, `Z` or an offset. Without a zone it is
 * the wall clock of the source's zone. Remembers the last minute, which most lines share.
 */
export class TimeReader {
  readonly #zone: LocalTime;
  #minute = '';
  #minuteAt = 0;
  #last: Instant = Number.NEGATIVE_INFINITY;
  /** Where the time that was read last ended. */
  end = 0;

  constructor(zone: LocalTime) {
    this.#zone = zone;
  }

  /** The instant at `from`; NaN when no time stands there. */
  read(text: string, from: number): Instant {
    const minute = this.#minute;
    if (minute !== '' && text.startsWith(minute, from)) {
      const at = from + minute.length;
      const second = two(text, at);
      const end = this.#fractionEnd(text, at + 2);
      if (second <= 59 && !this.#hasZone(text, end)) {
        return this.#finish(text, { secondEnd: at + 2, end }, this.#minuteAt + second * 1_000);
      }
    }
    return this.#readWhole(text, from);
  }

  #readWhole(text: string, from: number): Instant {
    const long = isDigit(text.charCodeAt(from + 2)) && isDigit(text.charCodeAt(from + 3));
    const yearEnd = from + (long ? 4 : 2);
    const year = long ? two(text, from) * 100 + two(text, from + 2) : 2_000 + two(text, from);
    const sign = text.charCodeAt(yearEnd);
    if ((sign !== 47 && sign !== 45) || text.charCodeAt(yearEnd + 3) !== sign) return Number.NaN;
    const between = text.charCodeAt(yearEnd + 6);
    if (between !== 32 && between !== 84) return Number.NaN;
    if (text.charCodeAt(yearEnd + 9) !== 58 || text.charCodeAt(yearEnd + 12) !== 58) {
      return Number.NaN;
    }
    const month = two(text, yearEnd + 1);
    const day = two(text, yearEnd + 4);
    const second = two(text, yearEnd + 13);
    const local =
      Date.UTC(year, month - 1, day) +
      two(text, yearEnd + 7) * 3_600_000 +
      two(text, yearEnd + 10) * MINUTE_MS;
    const valid =
      month >= 1 &&
      day >= 1 &&
      day <= (DAYS_IN_MONTH[month - 1] ?? 0) &&
      second <= 60 &&
      two(text, yearEnd + 7) <= 23 &&
      two(text, yearEnd + 10) <= 59;
    if (!valid || Number.isNaN(local)) return Number.NaN;
    const place = { secondEnd: yearEnd + 15, end: this.#fractionEnd(text, yearEnd + 15) };
    if (this.#hasZone(text, place.end)) {
      const east = this.#zoneOffset(text, place.end);
      const at = this.#finish(text, place, local - east + second * 1_000);
      this.end = this.#zoneEnd(text, place.end);
      return at;
    }
    const at = this.#zone.toInstant(local, this.#last);
    if (this.#zone.isSteady(local)) {
      // A copy, because a slice would hold on to the whole piece of the file.
      this.#minute = Array.from(text.slice(from, yearEnd + 13)).join('');
      this.#minuteAt = at;
    }
    return this.#finish(text, place, at + second * 1_000);
  }

  #fractionEnd(text: string, from: number): number {
    const sign = text.charCodeAt(from);
    if ((sign !== 46 && sign !== 44) || !isDigit(text.charCodeAt(from + 1))) return from;
    let at = from + 1;
    while (at < from + 10 && isDigit(text.charCodeAt(at))) at += 1;
    return at;
  }

  /** `Z`, `+02:00` or `+0200` at `at`. */
  #hasZone(text: string, at: number): boolean {
    const sign = text.charCodeAt(at);
    if (sign === 90) return true;
    return (sign === 43 || sign === 45) && !Number.isNaN(this.#zoneOffset(text, at));
  }

  #zoneEnd(text: string, at: number): number {
    if (text.charCodeAt(at) === 90) return at + 1;
    return at + (text.charCodeAt(at + 3) === 58 ? 6 : 5);
  }

  /** Ms east of Greenwich; NaN when no offset stands there. */
  #zoneOffset(text: string, at: number): number {
    const sign = text.charCodeAt(at);
    if (sign === 90) return 0;
    const colon = text.charCodeAt(at + 3) === 58 ? 1 : 0;
    const minutes = two(text, at + 1) * 60 + two(text, at + 3 + colon);
    return (sign === 45 ? -minutes : minutes) * MINUTE_MS;
  }

  #finish(
    text: string,
    { secondEnd, end }: { readonly secondEnd: number; readonly end: number },
    at: Instant,
  ): Instant {
    let ms = 0;
    for (let i = 0; i < 3; i += 1) {
      const digit = secondEnd + 1 + i < end ? text.charCodeAt(secondEnd + 1 + i) - 48 : 0;
      ms = ms * 10 + digit;
    }
    this.end = end;
    this.#last = at + ms;
    return this.#last;
  }
}

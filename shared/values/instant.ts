/** A moment in UTC, in whole milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number;

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** The largest instant that JavaScript's Date can print. */
const MAX_INSTANT = 8.64e15;

export function isInstant(value: unknown): value is Instant {
  return Number.isSafeInteger(value) && Math.abs(value as number) <= MAX_INSTANT;
}

/** Start of the UTC hour that holds `at`. */
export function utcHour(at: Instant): Instant {
  return Math.floor(at / HOUR_MS) * HOUR_MS;
}

/** Start of the UTC day that holds `at`. */
export function utcDay(at: Instant): Instant {
  return Math.floor(at / DAY_MS) * DAY_MS;
}

/** ISO 8601 with milliseconds and `Z`, as every answer and export prints it. */
export function formatInstant(at: Instant): string {
  return new Date(at).toISOString();
}

/** Reads ISO 8601 with a zone (`Z` or an offset); undefined for anything else, a local time included. */
export function parseInstant(text: string): Instant | undefined {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/.test(text)) {
    return undefined;
  }
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : at;
}

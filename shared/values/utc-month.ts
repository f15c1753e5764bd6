import type { Instant } from './instant.ts';

/**
 * Start of the UTC month that holds `at`, or of one before or after it.
 *
 * @param months later; earlier when negative
 */
export function utcMonth(at: Instant, months = 0): Instant {
  const date = new Date(at);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1);
}

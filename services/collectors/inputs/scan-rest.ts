/** So many times what a scan took: 1.5 % of a core at most. */
const TIMES = 70;
const LONGEST_MS = 10_000;

/**
 * How long folders are left alone after a scan, in ms: at least the interval, and longer where
 * thousands of files make scans long.
 */
export function scanRest(tookMs: number, intervalMs: number): number {
  return Math.max(intervalMs, Math.min(TIMES * tookMs, LONGEST_MS));
}

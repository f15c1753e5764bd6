/** So many times what a scan took: 1.5 % of a core, up to scans of 21 ms. */
const TIMES = 70;
/** A line in a file that was idle waits no longer than this for its scan. */
const LONGEST_MS = 1_500;

/**
 * How long folders are left alone after a scan, in ms: at least the interval, and longer where
 * thousands of files make scans long.
 */
export function scanRest(tookMs: number, intervalMs: number): number {
  return Math.max(intervalMs, Math.min(TIMES * tookMs, LONGEST_MS));
}

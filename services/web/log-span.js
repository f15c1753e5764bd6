const MINUTE_MS = 60_000;

/**
 * The logs that belong to an application: its last minutes while it runs, and the minutes about
 * its end when it has ended.
 * @param {{ start: string, end: string | null }} application
 * @param {number} nowMs
 */
export function applicationLogSpan({ start, end }, nowMs) {
  const endMs = end === null ? nowMs : Date.parse(end);
  const startMs = Date.parse(start);
  const fromMs = Math.max(endMs - 15 * MINUTE_MS, startMs - MINUTE_MS);
  return { fromMs: Math.min(fromMs, endMs), untilMs: endMs + MINUTE_MS };
}

/**
 * The minute before and after one line.
 * @param {number} atMs
 */
export function minuteAround(atMs) {
  return { fromMs: atMs - MINUTE_MS, untilMs: atMs + MINUTE_MS };
}

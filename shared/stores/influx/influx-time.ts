import type { Instant } from '../../values/instant.ts';

/** InfluxDB counts 64-bit nanoseconds since 1970: years 1677 to 2262, in ms within both ends. */
const LAST_MS = 9_223_372_036_853;

/** Whether a point can have this time. */
export function isInfluxTime(at: number): boolean {
  return Number.isInteger(at) && Math.abs(at) <= LAST_MS;
}

/** InfluxQL's condition of a half-open span; ends beyond its range are moved to it. */
export function timeCondition(from: Instant, until: Instant): string {
  const clamp = (at: Instant): number => Math.round(Math.max(-LAST_MS, Math.min(LAST_MS, at)));
  return `time >= ${clamp(from)}ms AND time < ${clamp(until)}ms`;
}

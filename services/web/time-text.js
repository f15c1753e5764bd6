import { formatInstant, formatRelative } from './format.js';
import { html } from './markup.js';
import { serverClock } from './server-clock.js';

/**
 * A relative time, with the exact one in UTC on hover.
 * @param {number} ms
 */
export function timeText(ms) {
  return relativeTo(ms, serverClock.now());
}

/**
 * The time of what has happened: "now", not "in 2 s", when the clock that told it is ahead.
 * @param {number} ms
 */
export function pastText(ms) {
  return relativeTo(ms, Math.max(ms, serverClock.now()));
}

/**
 * @param {number} ms
 * @param {number} nowMs
 */
function relativeTo(ms, nowMs) {
  const exact = formatInstant(ms);
  const machine = exact === '—' ? undefined : new Date(ms).toISOString();
  return html`<time datetime=${machine} title=${exact}>${formatRelative(ms, nowMs)}</time>`;
}

import { formatInstant, formatRelative } from './format.js';
import { html } from './markup.js';
import { serverClock } from './server-clock.js';

/**
 * A relative time, with the exact one in UTC on hover.
 * @param {number} ms
 */
export function timeText(ms) {
  const exact = formatInstant(ms);
  const machine = exact === '—' ? undefined : new Date(ms).toISOString();
  return html`<time datetime=${machine} title=${exact}>${formatRelative(ms, serverClock.now())}</time>`;
}

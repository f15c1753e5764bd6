import { formatInstant } from './format.js';
import { html } from './markup.js';
import { timeText } from './time-text.js';

/**
 * Says that nothing answers, how old the data is, and what happens next. It lies over the page's
 * lower edge, so that the page doesn't move.
 * @param {import('./page-state.js').PageState} state
 * @param {import('./actions.js').Actions} actions
 */
export function awayBanner({ away, loadedAtMs }, actions) {
  if (away === undefined) return html`<div class="away-place" role="status"></div>`;
  return html`
    <div class="away-place" role="status">
      <div class="away">
        <p><b>Tollgate does not answer</b> <span class="away-reason">(${away.reason})</span>.
          ${
            loadedAtMs === 0
              ? ' Is it running? Start it with tollgate start or tollgate demo.'
              : html` You see the data of <b title=${formatInstant(loadedAtMs)}>
                ${formatInstant(loadedAtMs).slice(11)}</b>, ${timeText(loadedAtMs)}.`
          }
          ${' '}It is asked again every few seconds.</p>
        <button type="button" onClick=${actions.retry}>Retry now</button>
      </div>
    </div>
  `;
}

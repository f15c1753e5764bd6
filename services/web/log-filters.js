import { formatInstant } from './format.js';
import { html } from './markup.js';
import { RANGES } from './view-state.js';

/**
 * @typedef {import('./view-state.js').ViewState} ViewState
 * @typedef {import('./actions.js').Actions} Actions
 */

const LEVELS = [
  ['', 'All levels'],
  ['DEBUG', 'DEBUG and up'],
  ['INFO', 'INFO and up'],
  ['WARN', 'WARN and up'],
  ['ERROR', 'ERROR and up'],
  ['FATAL', 'FATAL'],
];
const RANGE_NAMES = /** @type {Record<string, string>} */ ({
  '15m': 'Last 15 minutes',
  '1h': 'Last hour',
  '6h': 'Last 6 hours',
  '24h': 'Last 24 hours',
  '7d': 'Last 7 days',
});

/**
 * What the log search asks for.
 * @param {import('./page-state.js').PageState} state
 * @param {Actions} actions
 */
export function logFilters({ view, applications }, actions) {
  return html`
    <form class="filters" role="search" onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      actions.searchNow();
    }}>
      <label class="field grow"><span class="field-name">Text</span>
        <input id="log-text" type="search" value=${view.text} maxlength="500" spellcheck="false"
          autocomplete="off" placeholder=${'words, "a phrase", pref*   ( / to search )'}
          onInput=${(/** @type {InputEvent} */ event) => actions.type({ text: textOf(event) })} />
      </label>
      <label class="field"><span class="field-name">Level</span>
        <select value=${view.level}
          onChange=${(/** @type {Event} */ event) => actions.show({ ...view, level: textOf(event) })}>
          ${LEVELS.map(
            ([value, name]) => html`
            <option value=${value} selected=${view.level === value}>${name}</option>`,
          )}
        </select>
      </label>
      ${rangeField(view, actions)}
      <label class="field app"><span class="field-name">Application</span>
        <input type="search" list="known-applications" value=${view.application} spellcheck="false"
          autocomplete="off" placeholder="any"
          onInput=${(/** @type {InputEvent} */ event) => actions.type({ application: textOf(event).trim() })} />
        <datalist id="known-applications">
          ${(applications ?? []).map(({ id, name }) => html`<option value=${id}>${name}</option>`)}
        </datalist>
      </label>
    </form>
    ${narrowed(view, actions)}
  `;
}

/** @param {Event} event */
function textOf(event) {
  return /** @type {HTMLInputElement} */ (event.target).value;
}

/**
 * @param {ViewState} view
 * @param {Actions} actions
 */
function rangeField(view, actions) {
  const fixed = view.from !== '';
  /** @param {Event} event */
  const choose = (event) => {
    const range = textOf(event);
    if (range !== '') actions.show({ ...view, range, from: '', until: '', follow: true });
  };
  return html`
    <label class="field"><span class="field-name">Time, UTC</span>
      <select onChange=${choose} value=${fixed ? '' : view.range}>
        ${fixed && html`<option value="" selected>${spanName(view)}</option>`}
        ${Object.keys(RANGES).map(
          (range) => html`
          <option value=${range} selected=${!fixed && view.range === range}>${RANGE_NAMES[range]}</option>`,
        )}
      </select>
    </label>
  `;
}

/** @param {ViewState} view */
function spanName({ from, until }) {
  const start = formatInstant(Date.parse(from)).slice(5, 16);
  const end = formatInstant(Date.parse(until));
  return `${start} – ${end.slice(11, 16)}`;
}

/**
 * Filters that have no field of their own, each with a way out.
 * @param {ViewState} view
 * @param {Actions} actions
 */
function narrowed(view, actions) {
  const chips = [
    view.container !== '' && { text: `container ${view.container}`, without: { container: '' } },
    view.fingerprint !== '' && {
      text: `only repeats of ${view.fingerprint}`,
      without: { fingerprint: '' },
    },
    view.from !== '' && {
      text: `${formatInstant(Date.parse(view.from))} – ${formatInstant(Date.parse(view.until)).slice(11)}`,
      without: { from: '', until: '', follow: true },
    },
  ].filter((chip) => chip !== false);
  if (chips.length === 0) return null;
  return html`
    <p class="chips">
      ${chips.map(
        ({ text, without }) => html`
        <button type="button" class="chip" aria-label="Remove the filter: ${text}"
          onClick=${() => actions.show({ ...view, ...without })}>${text} <span aria-hidden="true">×</span></button>`,
      )}
    </p>
  `;
}

import { Component } from '/modules/preact.js';
import { formatClock, formatInstant } from './format.js';
import { highlightTerms } from './highlight-terms.js';
import { minuteAround } from './log-span.js';
import { html } from './markup.js';
import { serverClock } from './server-clock.js';
import { shortId } from './short-id.js';
import { splitMessage } from './split-message.js';
import { viewAddress, viewOfLogs } from './view-state.js';

/** A message longer than this opens only to here; the whole is in the REST answer. */
const MOST_CHARACTERS = 100_000;

/** What was done to a record, in words. */
const MARKS = /** @type {Record<string, string>} */ ({
  cut: 'It was longer than the limit: its end is missing',
  masked: 'A secret in it was masked',
  cleaned: 'Control characters were removed',
  'time-observed': 'It had no time of its own: this is when it was read',
  'time-implausible': 'Its own time was implausible: this is when it was read',
});

/**
 * @typedef {object} LogRowProps
 * @property {import('./rest-client.js').Log} log
 * @property {boolean} open
 * @property {string} search
 * @property {string} name of its application, '' when it isn't known
 * @property {import('./view-state.js').ViewState} view
 * @property {import('./actions.js').Actions} actions
 * @property {readonly string[]} terms
 */

/** One log line. It is drawn again only when something in it changes: there are many of them. */
export class LogRow extends Component {
  /**
   * @override
   * @param {object} next
   */
  shouldComponentUpdate(next) {
    const was = propsOf(this);
    const is = /** @type {LogRowProps} */ (next);
    return (
      was.log.key !== is.log.key ||
      was.open !== is.open ||
      was.search !== is.search ||
      was.name !== is.name ||
      was.view !== is.view
    );
  }

  /** @override */
  render() {
    const { log, name, open, terms } = propsOf(this);
    const { head, rest, hiddenLines } = splitMessage(log.message);
    const source = [log.container, log.logger].filter((part) => part !== '');
    return html`
      <li class="log level-${log.level.toLowerCase()}">
        ${timeLink(propsOf(this))}
        <span class="log-level">${log.level === 'UNKNOWN' ? '–' : log.level}</span>
        <span class="log-source" title="${log.project} · ${log.cluster} · ${log.application} · ${source.join(' · ')} · thread ${log.thread || '–'}">
          <span class="log-app">${name || shortId(log.application) || log.cluster}</span>
          <span class="log-container">${shortId(log.container)}</span>
        </span>
        <div class="log-message">
          ${open && rest !== '' ? html`<pre>${marked(shortened(rest), terms)}</pre>` : html`<span class="log-head">${marked(head, terms)}</span>`}
          ${rest !== '' && openButton(propsOf(this), hiddenLines)}
          ${log.marks.map((mark) => html`<span class="badge mark" title=${MARKS[mark] ?? mark}>${mark}</span>`)}
        </div>
      </li>
    `;
  }
}

/**
 * @param {Component} row
 * @returns {LogRowProps}
 */
function propsOf(row) {
  return /** @type {LogRowProps} */ (/** @type {unknown} */ (row.props));
}

/** @param {LogRowProps} props */
function timeLink({ log, view, actions }) {
  const atMs = Date.parse(log.at);
  const around = viewOfLogs(view, log, minuteAround(atMs));
  return html`
    <a class="log-time" href="${viewAddress(around)}#logs"
      title="${formatInstant(atMs)}: everything of this container in that minute"
      onClick=${(/** @type {MouseEvent} */ event) => actions.follow(event, around, 'logs')}>
      <time datetime=${log.at}>${formatClock(atMs, serverClock.now())}</time></a>
  `;
}

/**
 * @param {LogRowProps} props
 * @param {number} hiddenLines
 */
function openButton({ log, open, actions }, hiddenLines) {
  const more = hiddenLines > 0 ? `+${hiddenLines} ${hiddenLines === 1 ? 'line' : 'lines'}` : 'more';
  return html`
    <button type="button" class="inline" aria-expanded=${open}
      onClick=${() => actions.toggle(`log/${log.key}`)}>${open ? 'less' : more}</button>
  `;
}

/** @param {string} text */
function shortened(text) {
  if (text.length <= MOST_CHARACTERS) return text;
  return `${text.slice(0, MOST_CHARACTERS)}\n… ${text.length - MOST_CHARACTERS} more characters`;
}

/**
 * @param {string} text
 * @param {readonly string[]} terms
 */
function marked(text, terms) {
  return highlightTerms(text, terms).map((part) =>
    part.hit ? html`<mark>${part.text}</mark>` : part.text,
  );
}

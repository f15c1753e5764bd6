import { MOST_PROJECTS } from './busiest-projects.js';
import { formatClock, formatCount, formatInstant } from './format.js';
import { highlightTerms, searchTerms } from './highlight-terms.js';
import { MOST_LINES } from './load-logs.js';
import { logFilters } from './log-filters.js';
import { LogRow } from './log-row.js';
import { html } from './markup.js';
import { emptyNote, loadingLines, sectionFrame } from './section-frame.js';
import { serverClock } from './server-clock.js';
import { splitMessage } from './split-message.js';

/**
 * @typedef {import('./page-state.js').PageState} PageState
 * @typedef {import('./actions.js').Actions} Actions
 */

/**
 * The log search: newest first, following while it is told to.
 * @param {PageState} state
 * @param {Actions} actions
 */
export function logsSection(state, actions) {
  const { view } = state;
  const head = { id: 'logs', title: 'Logs', note: whose(state), tools: switches(view, actions) };
  return sectionFrame(
    head,
    html`
      ${logFilters(state, actions)}
      <div class="log-box" aria-busy=${state.searching}>
        ${state.logProblem !== '' && html`<p class="problem" role="alert">${state.logProblem}</p>`}
        ${view.grouped ? groupList(state, actions) : lineList(state, actions)}
      </div>
    `,
  );
}

/** @param {PageState} state */
function whose({ view, projects }) {
  if (view.project !== '') return `of ${view.project}, newest first`;
  const all = projects?.length ?? 0;
  if (all <= MOST_PROJECTS) return 'of all projects, newest first';
  return `of the ${MOST_PROJECTS} projects that spend most, newest first; choose a project for another`;
}

/**
 * @param {import('./view-state.js').ViewState} view
 * @param {Actions} actions
 */
function switches(view, actions) {
  const fixed = view.from !== '';
  return html`
    <div class="switch">
      <button type="button" aria-pressed=${view.grouped} title="Repeats as one line with their number"
        onClick=${() => actions.show({ ...view, grouped: !view.grouped })}>Group repeats</button>
      <button type="button" aria-pressed=${view.follow && !fixed} disabled=${fixed}
        title=${fixed ? 'A fixed time does not move on' : 'Show new lines as they come'}
        onClick=${() => actions.show({ ...view, follow: !view.follow })}>
        <span class="dot ${view.follow && !fixed ? 'live' : ''}" aria-hidden="true"></span>Follow</button>
    </div>
  `;
}

/**
 * @param {PageState} state
 * @param {Actions} actions
 */
function lineList(state, actions) {
  const { logs, view, open, logCursor, searching, projects } = state;
  if (logs === undefined) return projects?.length === 0 ? nothing(view) : loadingLines(12);
  if (logs.length === 0) return nothing(view);
  const terms = searchTerms(view.text);
  const names = new Map((state.applications ?? []).map(({ id, name }) => [id, name]));
  return html`
    <ol class="logs" aria-label="Log lines, newest first">
      ${logs.map(
        (log) => html`<${LogRow} key=${log.key} log=${log} open=${open.has(`log/${log.key}`)}
        search=${view.text} name=${names.get(log.application) ?? ''} view=${view} actions=${actions} terms=${terms} />`,
      )}
    </ol>
    <p class="log-end">
      <span class="muted">${formatCount(logs.length)} lines</span>
      ${
        logCursor !== null &&
        html`
        <button type="button" class="more" disabled=${searching} onClick=${actions.older}>Show older</button>`
      }
      ${logs.length >= MOST_LINES && html`<span class="muted">narrow the search to see older ones</span>`}
    </p>
  `;
}

/** @param {import('./view-state.js').ViewState} view */
function nothing(view) {
  const narrow =
    view.text !== '' ||
    view.level !== '' ||
    view.application !== '' ||
    view.container !== '' ||
    view.fingerprint !== '' ||
    view.from !== '';
  return narrow
    ? emptyNote('No line matches', 'Take a filter away, or search a longer time.')
    : emptyNote(
        'No logs in this time',
        html`Search a longer time; or, when none ever came, name
        the folders of your applications' logs under <code>logs</code> in tollgate.yaml.`,
      );
}

/**
 * @param {PageState} state
 * @param {Actions} actions
 */
function groupList({ logGroups, view, projects }, actions) {
  if (logGroups === undefined) return projects?.length === 0 ? nothing(view) : loadingLines(12);
  if (logGroups.length === 0) return nothing(view);
  const terms = searchTerms(view.text);
  const most = Math.max(1, ...logGroups.map(({ count }) => count));
  return html`
    <ol class="logs groups" aria-label="Repeated log lines, most frequent first">
      ${logGroups.map(
        ({ fingerprint, count, example }) => html`
        <li key="${example.project}/${fingerprint}" class="log level-${example.level.toLowerCase()}">
          <span class="group-count" title="${count} lines">
            <span class="group-bar" style=${{ width: `${(count / most) * 100}%` }}></span>
            <span class="group-number">${formatCount(count)}</span></span>
          <span class="log-level">${example.level === 'UNKNOWN' ? '–' : example.level}</span>
          <span class="log-source" title="last seen ${formatInstant(Date.parse(example.at))}">
            <span class="log-app">${view.project === '' ? example.project : example.logger.replace(/^.*\./, '')}</span>
            <span class="log-container">${formatClock(Date.parse(example.at), serverClock.now())}</span></span>
          <div class="log-message">
            <span class="log-head">${highlightTerms(splitMessage(example.message).head, terms).map(
              (part) => (part.hit ? html`<mark>${part.text}</mark>` : part.text),
            )}</span>
            <button type="button" class="inline"
              onClick=${() => actions.show({ ...view, project: example.project, fingerprint, grouped: false })}>
              show its lines</button>
          </div>
        </li>`,
      )}
    </ol>
  `;
}

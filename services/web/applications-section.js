import { activityBar, activityLegend } from './activity-bar.js';
import {
  formatCores,
  formatCount,
  formatCredits,
  formatDuration,
  formatInstant,
  formatMemory,
} from './format.js';
import { applicationLogSpan } from './log-span.js';
import { html } from './markup.js';
import { safeLink } from './safe-link.js';
import { emptyNote, loadingLines, sectionFrame } from './section-frame.js';
import { serverClock } from './server-clock.js';
import { pastText } from './time-text.js';
import { viewAddress, viewOfLogs } from './view-state.js';

const FIRST_APPLICATIONS = 15;

/**
 * @typedef {import('./rest-client.js').Application} Application
 * @typedef {import('./actions.js').Actions} Actions
 * @typedef {import('./page-state.js').PageState} PageState
 */

/**
 * Applications with their cost so far and where it goes.
 * @param {PageState} state
 * @param {Actions} actions
 */
export function applicationsSection(state, actions) {
  const { applications, view, open } = state;
  const head = {
    id: 'applications',
    title: 'Applications',
    note: activityLegend(),
    tools: stateSwitch(view, actions),
  };
  if (applications === undefined) return sectionFrame(head, loadingLines(6));
  if (applications.length === 0) return sectionFrame(head, nothing(view));
  const sorted = [...applications].sort(
    (a, b) =>
      Number(b.cost.perHour) - Number(a.cost.perHour) ||
      Date.parse(b.end ?? b.start) - Date.parse(a.end ?? a.start),
  );
  const all = open.has('applications');
  const shown = all ? sorted : sorted.slice(0, FIRST_APPLICATIONS);
  return sectionFrame(
    head,
    html`
      <table class="rows applications" role="table">
        <thead role="rowgroup"><tr role="row">
          <th role="columnheader" scope="col">Application</th>
          <th role="columnheader" scope="col">${view.applications === 'running' ? 'Runs for' : 'Ended'}</th>
          <th role="columnheader" scope="col" class="num">Holds</th>
          <th role="columnheader" scope="col" class="num">Cost so far <span class="unit">cr</span></th>
          <th role="columnheader" scope="col" class="num">Now <span class="unit">cr/h</span></th>
          <th role="columnheader" scope="col">Slot time</th>
          <th role="columnheader" scope="col">Links</th>
        </tr></thead>
        <tbody role="rowgroup">${shown.map((one) => applicationRow(one, state, actions))}</tbody>
      </table>
      ${
        sorted.length > FIRST_APPLICATIONS &&
        html`
        <button type="button" class="more" aria-expanded=${all}
          onClick=${() => actions.toggle('applications')}>
          ${all ? 'Show fewer' : `Show all ${formatCount(sorted.length)}`}
        </button>`
      }
    `,
  );
}

/** @param {import('./view-state.js').ViewState} view */
function nothing(view) {
  const whose = view.project === '' ? '' : ` of ${view.project}`;
  return view.applications === 'running'
    ? emptyNote(
        `No application${whose} is running`,
        html`It appears here within seconds of its
        first container: through its cluster manager, its event log, or${' '}
        <code>POST /v1/ingest/containers</code>.`,
      )
    : emptyNote(`No application${whose} has ended yet`, 'Its cost stays here when it does.');
}

/**
 * @param {import('./view-state.js').ViewState} view
 * @param {Actions} actions
 */
function stateSwitch(view, actions) {
  return html`
    <div class="switch" role="group" aria-label="Which applications">
      ${
        /** @type {const} */ (['running', 'ended']).map(
          (one) => html`
        <button type="button" aria-pressed=${view.applications === one}
          onClick=${() => actions.show({ ...view, applications: one })}>
          ${one === 'running' ? 'Running' : 'Ended'}</button>`,
        )
      }
    </div>
  `;
}

/**
 * @param {Application} one
 * @param {PageState} state
 * @param {Actions} actions
 */
function applicationRow(one, { view }, actions) {
  const { cost, resources } = one;
  const startMs = Date.parse(one.start);
  const endMs = one.end === null ? serverClock.now() : Date.parse(one.end);
  const who = [view.project === '' ? one.project : '', one.user, one.queue, one.cluster]
    .filter((part) => part !== '')
    .join(' · ');
  const holds = `${formatCores(resources.cores)} ${resources.cores === 1 ? 'core' : 'cores'}`;
  return html`
    <tr role="row" key="${one.cluster}/${one.id}">
      <td role="cell" class="name-cell">
        <span class="name" title=${one.name}>${one.name === '' ? one.id : one.name}</span>
        <span class="sub" title="${one.id} · ${who}"><span class="id">${one.id}</span> ${who}</span>
      </td>
      <td role="cell" data-label=${one.end === null ? 'Runs for' : 'Ended'}>
        ${
          one.end === null
            ? html`<time datetime=${one.start} title="since ${formatInstant(startMs)}">${formatDuration(endMs - startMs)}</time>`
            : html`${pastText(endMs)} <span class="sub">after ${formatDuration(endMs - startMs)}</span>`
        }
        ${one.coverage === 'inferred' && html`<span class="badge" title="No record of its end: inferred from what was last seen">end inferred</span>`}
      </td>
      <td role="cell" class="num" data-label="Holds"
        title="${formatCount(one.containers.running)} containers running of ${formatCount(one.containers.total)}">
        ${one.end === null ? holds : html`<span class="muted">–</span>`}
        ${
          one.end === null &&
          html`<span class="sub">${formatMemory(resources.memoryMib)}${
            resources.gpus > 0 ? ` · ${resources.gpus} GPUs` : ''
          }</span>`
        }
      </td>
      <td role="cell" class="num strong" data-label="Cost so far"
        title="${cost.total} credits: ${cost.charged} charged, ${cost.accrued} not charged yet">
        ${formatCredits(cost.total)}</td>
      <td role="cell" class="num" data-label="Now, cr/h" title="${cost.perHour} credits an hour">
        ${formatCredits(cost.perHour)}</td>
      <td role="cell" data-label="Slot time" class="activity-cell">${activityBar(one.activity)}</td>
      <td role="cell" data-label="Links" class="links-cell">${linksOf(one, view, actions)}</td>
    </tr>
  `;
}

/**
 * @param {Application} one
 * @param {import('./view-state.js').ViewState} view
 * @param {Actions} actions
 */
function linksOf(one, view, actions) {
  const span = applicationLogSpan(one, serverClock.now());
  const logs = viewOfLogs(view, { project: one.project, application: one.id }, span);
  return html`
    <span class="links">
      ${outsideLink(
        one.links.sparkUi,
        one.state === 'ended' ? 'History' : 'Spark UI',
        one.state === 'ended' ? 'Spark History Server' : 'Spark UI of the running application',
      )}
      ${outsideLink(one.links.manager, 'Manager', 'Page of the cluster manager')}
      <a href="${viewAddress(logs)}#logs" title="Its logs, searched here"
        onClick=${(/** @type {MouseEvent} */ event) => actions.follow(event, logs, 'logs')}>Logs</a>
      ${outsideLink(one.links.logs, 'Log files', 'Logs at their source')}
    </span>
  `;
}

/**
 * @param {string | null} address
 * @param {string} text
 * @param {string} title
 */
function outsideLink(address, text, title) {
  const link = safeLink(address, location.href);
  if (link === undefined) return null;
  return html`<a href=${link} title=${title} target="_blank" rel="noreferrer">${text}</a>`;
}

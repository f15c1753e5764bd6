import { balanceEnd } from './balance-end.js';
import { formatCount, formatCredits, formatInstant, formatShare } from './format.js';
import { html } from './markup.js';
import { emptyNote, loadingLines, sectionFrame } from './section-frame.js';
import { timeText } from './time-text.js';
import { viewAddress } from './view-state.js';

/** Projects listed before the rest is asked for. */
const FIRST_PROJECTS = 10;

/**
 * @typedef {import('./rest-client.js').Project} Project
 * @typedef {import('./actions.js').Actions} Actions
 */

/**
 * Projects with what they have left, what they spend and until when.
 * @param {import('./page-state.js').PageState} state
 * @param {Actions} actions
 */
export function projectsSection({ projects, view, open }, actions) {
  const head = { id: 'projects', title: 'Projects' };
  if (projects === undefined) return sectionFrame(head, loadingLines(5));
  if (projects.length === 0) {
    const advice = html`A project appears with its first application, or give one credits:${' '}
      <code>POST /v1/projects/etl/grants</code>.`;
    return sectionFrame(head, emptyNote('No project yet', advice));
  }
  const sorted = [...projects].sort(
    (a, b) =>
      Number(b.balance.burnPerHour) - Number(a.balance.burnPerHour) ||
      Number(b.balance.charged) - Number(a.balance.charged),
  );
  const all = open.has('projects');
  // The chosen project is always listed, wherever it stands in the order.
  const shown = sorted.filter(({ id }, at) => all || at < FIRST_PROJECTS || id === view.project);
  const note = `${formatCount(projects.length)}, those that spend most first`;
  return sectionFrame(
    { ...head, note },
    html`
      <table class="rows projects" role="table">
        <thead role="rowgroup"><tr role="row">
          <th role="columnheader" scope="col">Project</th>
          <th role="columnheader" scope="col" class="num">Balance <span class="unit">cr</span></th>
          <th role="columnheader" scope="col">Spent of granted</th>
          <th role="columnheader" scope="col" class="num">Burn <span class="unit">cr/h</span></th>
          <th role="columnheader" scope="col">Ends</th>
          <th role="columnheader" scope="col" class="num">Running</th>
        </tr></thead>
        <tbody role="rowgroup">
          ${shown.map((project) => projectRow(project, view, actions))}
        </tbody>
      </table>
      ${
        sorted.length > FIRST_PROJECTS &&
        html`
        <button type="button" class="more" aria-expanded=${all}
          onClick=${() => actions.toggle('projects')}>
          ${all ? 'Show fewer' : `Show all ${formatCount(sorted.length)} projects`}
        </button>`
      }
    `,
  );
}

/**
 * @param {Project} project
 * @param {import('./view-state.js').ViewState} view
 * @param {Actions} actions
 */
function projectRow(project, view, actions) {
  const { balance } = project;
  const chosen = project.id === view.project;
  const target = { ...view, project: chosen ? '' : project.id, application: '', container: '' };
  const tags = Object.entries(project.tags)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ');
  return html`
    <tr role="row" key=${project.id} class=${chosen ? 'chosen' : ''}>
      <td role="cell" class="name-cell">
        <a href=${viewAddress(target)} aria-current=${chosen ? 'true' : undefined}
          title=${chosen ? 'Show all projects' : `Show only ${project.id}`}
          onClick=${(/** @type {MouseEvent} */ event) => actions.follow(event, target)}>${project.id}</a>
        ${
          (project.name !== project.id || tags !== '') &&
          html`
          <span class="sub" title=${tags}>${project.name === project.id ? tags : project.name}</span>`
        }
      </td>
      <td role="cell" class="num" data-label="Balance" title="${balance.balance} credits, evidence up to ${formatInstant(Date.parse(balance.asOf))}">
        ${balance.unlimited ? html`<span class="muted">no grant</span>` : formatCredits(balance.balance)}
      </td>
      <td role="cell" data-label="Spent" class="spent-cell">${spentBar(balance)}</td>
      <td role="cell" class="num" data-label="Burn" title="${balance.burnPerHour} credits an hour">
        ${formatCredits(balance.burnPerHour)}</td>
      <td role="cell" data-label="Ends">${endText(balance)}</td>
      <td role="cell" class="num" data-label="Running">${formatCount(project.runningApplications)}</td>
    </tr>
  `;
}

/** @param {Project['balance']} balance */
function spentBar({ granted, charged, accrued, reserved, unlimited }) {
  const whole = Number(granted);
  const spent = Number(charged) + Number(accrued);
  const held = reserved === '0' ? '' : ` + ${reserved} reserved`;
  const exact = `${charged} charged + ${accrued} not charged yet${held}, of ${granted} granted`;
  if (unlimited || whole <= 0) {
    return html`<span class="muted" title=${exact}>${formatCredits(String(spent))} cr spent</span>`;
  }
  const share = Math.max(0, Math.min(1, spent / whole));
  const tone = share >= 1 ? 'bad' : share >= 0.85 ? 'warn' : 'good';
  return html`
    <span class="meter" title=${exact}>
      <span class="meter-track"><span class="meter-fill ${tone}"
        style=${{ width: `${share * 100}%` }}></span></span>
      <span class="meter-text">${formatShare(spent, whole)} <span class="muted">of ${formatCredits(granted)}</span></span>
    </span>
  `;
}

/** @param {Project['balance']} balance */
function endText(balance) {
  const end = balanceEnd(balance);
  switch (end.kind) {
    case 'no-grant':
      return html`<span class="muted">no limit</span>`;
    case 'exhausted':
      return html`<span class="badge bad">exhausted</span>`;
    case 'steady':
      return html`<span class="muted">nothing runs</span>`;
    case 'ends': {
      const soon = end.atMs - Date.parse(balance.asOf) < 24 * 3_600_000;
      return html`<span class=${soon ? 'warn-text' : ''}>${timeText(end.atMs)}</span>`;
    }
  }
}

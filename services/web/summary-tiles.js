import { formatCores, formatCount, formatCredits, formatPrice, formatShare } from './format.js';
import { html } from './markup.js';

/**
 * @typedef {import('./page-state.js').PageState} PageState
 */

/**
 * The platform in one line: five numbers.
 * @param {PageState} state
 */
export function summaryTiles(state) {
  return html`
    <div class="tiles" role="group" aria-label="The platform now">
      ${priceTile(state)} ${coresTile(state)} ${costTile(state)} ${runningTile(state)}
      ${streamsTile(state)}
    </div>
  `;
}

/**
 * @param {{ label: string, value: unknown, unit?: string, note: unknown, tone?: string,
 *   title?: string }} tile
 */
function tile({ label, value, unit, note, tone, title }) {
  return html`
    <div class="tile ${tone ?? ''}" title=${title}>
      <p class="tile-label">${label}</p>
      <p class="tile-value">${value}${unit && html`<span class="unit"> ${unit}</span>`}</p>
      <p class="tile-note">${note}</p>
    </div>
  `;
}

/** @param {PageState} state */
function priceTile({ prices }) {
  const [first, ...others] = prices ?? [];
  const label = first === undefined ? 'Price now' : `Price now · ${first.pool}`;
  if (first === undefined) return tile({ label, value: '—', note: 'no pool yet' });
  const next = first.next;
  return tile({
    label,
    value: formatPrice(first.now.multiplier),
    note:
      others.length > 0
        ? others.map((pool) => `${pool.pool} ${formatPrice(pool.now.multiplier)}`).join(' · ')
        : next === null
          ? 'no change announced'
          : `${formatPrice(next.multiplier)} at ${next.start.slice(11, 16)} UTC`,
    title: first.now.reason,
  });
}

/** @param {PageState} state */
function coresTile({ clusters }) {
  const label = 'Cores in use';
  const loads = (clusters ?? []).flatMap(({ load }) => (load === null ? [] : [load]));
  if (loads.length === 0) return tile({ label, value: '—', note: 'no load reported yet' });
  /** @param {'allocated' | 'pending' | 'capacity'} part */
  const sum = (part) => loads.reduce((cores, load) => cores + load[part].cores, 0);
  const pending = sum('pending');
  return tile({
    label,
    value: formatCores(sum('allocated')),
    unit: `of ${formatCores(sum('capacity'))}`,
    note: `${formatShare(sum('allocated'), sum('capacity'))} · ${formatCores(pending)} pending`,
  });
}

/** @param {PageState} state */
function costTile({ projects, view }) {
  const label = 'Cost now';
  if (projects === undefined) return tile({ label, value: '—', note: '' });
  const shown = shownProjects(projects, view.project);
  const perHour = shown.reduce((sum, { balance }) => sum + Number(balance.burnPerHour), 0);
  const ofWhom = view.project === '' ? `${formatCount(projects.length)} projects` : view.project;
  return tile({ label, value: formatCredits(String(perHour)), unit: 'cr/h', note: ofWhom });
}

/** @param {PageState} state */
function runningTile({ projects, view, applications }) {
  const label = 'Running applications';
  if (projects === undefined) return tile({ label, value: '—', note: '' });
  const shown = shownProjects(projects, view.project);
  const running = shown.reduce((sum, project) => sum + project.runningApplications, 0);
  const listed = view.applications === 'running' ? (applications ?? []) : [];
  const containers = listed.reduce((sum, one) => sum + one.containers.running, 0);
  const note = containers === 0 ? ' ' : `${formatCount(containers)} containers`;
  return tile({ label, value: formatCount(running), note });
}

/** @param {PageState} state */
function streamsTile({ streams }) {
  const label = 'Streaming queries';
  if (streams === undefined) return tile({ label, value: '—', note: '' });
  const troubled = streams.filter(({ verdict }) => verdict !== 'ok').length;
  if (streams.length === 0) return tile({ label, value: '0', note: 'none reports progress' });
  const note = troubled === 0 ? 'all OK' : `${formatCount(troubled)} not OK`;
  const tone = troubled === 0 ? '' : 'tile-warn';
  return tile({ label, value: formatCount(streams.length), note, tone });
}

/**
 * @param {import('./rest-client.js').Project[]} projects
 * @param {string} chosen
 */
function shownProjects(projects, chosen) {
  return chosen === '' ? projects : projects.filter(({ id }) => id === chosen);
}

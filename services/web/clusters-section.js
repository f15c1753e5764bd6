import { Chart } from './chart.js';
import { formatCores, formatCount, formatMemory, formatShare } from './format.js';
import { html } from './markup.js';
import { safeLink } from './safe-link.js';
import { emptyNote, loadingLines, sectionFrame } from './section-frame.js';
import { pastText } from './time-text.js';

const MOST_CLUSTERS = 24;
/** A load older than this is no longer "now". */
const STALE_LOAD_MS = 120_000;

/**
 * @typedef {import('./rest-client.js').Cluster} Cluster
 */

/**
 * Clusters with their load.
 * @param {import('./page-state.js').PageState} state
 */
export function clustersSection({ clusters, loadedAtMs }) {
  const head = { id: 'clusters', title: 'Clusters', note: 'cores, last hours' };
  if (clusters === undefined) return sectionFrame(head, loadingLines(5));
  if (clusters.length === 0) {
    const advice = html`Name one under <code>clusters</code> in tollgate.yaml: a YARN
      ResourceManager or a Spark standalone master.`;
    return sectionFrame(head, emptyNote('No cluster is configured', advice));
  }
  const hidden = clusters.length - MOST_CLUSTERS;
  const body = html`
    <ul class="cards">
      ${clusters
        .slice(0, MOST_CLUSTERS)
        .map((cluster) => html`<li key=${cluster.id}>${clusterCard(cluster, loadedAtMs)}</li>`)}
    </ul>
    ${hidden > 0 && html`<p class="more-note">and ${hidden} more clusters</p>`}
  `;
  return sectionFrame(head, body);
}

/**
 * @param {Cluster} cluster
 * @param {number} loadedAtMs
 */
function clusterCard(cluster, loadedAtMs) {
  const link = safeLink(cluster.link, location.href);
  const name =
    link === undefined
      ? cluster.id
      : html`<a href=${link} rel="noreferrer" target="_blank">${cluster.id}</a>`;
  return html`
    <article class="card">
      <header class="card-head">
        <h3>${name}</h3>
        <p class="card-note">
          ${cluster.type} · pool ${cluster.pool} · ${formatCount(cluster.nodes)}
          ${cluster.nodes === 1 ? ' node' : ' nodes'}
        </p>
      </header>
      ${loadLine(cluster, loadedAtMs)} ${loadChart(cluster)}
    </article>
  `;
}

/**
 * @param {Cluster} cluster
 * @param {number} loadedAtMs
 */
function loadLine({ load }, loadedAtMs) {
  if (load === null) return html`<p class="load-line muted">no load reported yet</p>`;
  const { allocated, pending, capacity } = load;
  const atMs = Date.parse(load.at);
  const stale = loadedAtMs - atMs > STALE_LOAD_MS;
  return html`
    <p class="load-line">
      <span><b>${formatCores(allocated.cores)}</b> of ${formatCores(capacity.cores)} cores
        <span class="muted"> ${formatShare(allocated.cores, capacity.cores)}</span></span>
      <span class=${pending.cores > 0 ? 'warn-text' : 'muted'}>
        ${formatCores(pending.cores)} pending</span>
      <span class="muted">${formatMemory(allocated.memoryMib)} of
        ${' '}${formatMemory(capacity.memoryMib)}</span>
      ${capacity.gpus > 0 && html`<span class="muted">${allocated.gpus} of ${capacity.gpus} GPUs</span>`}
      ${stale && html`<span class="warn-text">seen ${pastText(atMs)}</span>`}
    </p>
  `;
}

/** @param {Cluster} cluster */
function loadChart({ id, history, load }) {
  if (history.length < 2)
    return html`<p class="chart-empty muted">the chart begins with the second reading</p>`;
  const data = [
    history.map(({ at }) => Date.parse(at) / 1000),
    history.map(({ capacity }) => capacity),
    history.map(({ allocated }) => allocated),
    history.map(({ pending }) => pending),
  ];
  const summary =
    load === null
      ? `Load of ${id}`
      : `Load of ${id}: ${formatCores(load.allocated.cores)} of ${formatCores(load.capacity.cores)} ` +
        `cores allocated, ${formatCores(load.pending.cores)} pending`;
  return html`<${Chart} data=${data} series=${LOAD_SERIES} height=${128} format=${formatCount}
    yRange=${fromZero} summary=${summary} />`;
}

const LOAD_SERIES = [
  { label: 'capacity', color: '--faint', dash: [4, 4], width: 1 },
  { label: 'allocated', color: '--accent', fill: '--accent-wash', stepped: true },
  { label: 'pending', color: '--warn', stepped: true },
];

/**
 * @param {[number, number]} range
 * @returns {[number, number]}
 */
function fromZero([, max]) {
  return [0, Math.max(1, max * 1.08)];
}

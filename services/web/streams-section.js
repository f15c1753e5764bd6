import { formatCount, formatDuration } from './format.js';
import { minuteAround } from './log-span.js';
import { html } from './markup.js';
import { emptyNote, loadingLines, sectionFrame } from './section-frame.js';
import { pastText } from './time-text.js';
import { viewAddress, viewOfLogs } from './view-state.js';

/**
 * @typedef {import('./rest-client.js').StreamingQuery} StreamingQuery
 * @typedef {import('./actions.js').Actions} Actions
 */

/** What a verdict says, and how bad it is. */
export const VERDICT_MEANING = {
  ok: { rank: 0, tone: 'good', meaning: 'The query keeps up' },
  warn: { rank: 1, tone: 'warn', meaning: 'The lag grows while the query reads' },
  rewind: { rank: 2, tone: 'warn', meaning: 'The query read older records again' },
  stall: { rank: 3, tone: 'bad', meaning: 'The query runs, and its position does not move' },
  stop: { rank: 4, tone: 'bad', meaning: 'The query has stopped reporting' },
};
const FIRST_STREAMS = 15;
const MOST_PARTITIONS = 50;

/**
 * Streaming queries, the worst first.
 * @param {import('./page-state.js').PageState} state
 * @param {Actions} actions
 */
export function streamsSection(state, actions) {
  const { streams, view, open } = state;
  const head = { id: 'streams', title: 'Streaming queries', note: 'the worst verdict first' };
  if (streams === undefined) return sectionFrame(head, loadingLines(4));
  if (streams.length === 0) {
    const advice = html`Queries appear with their first progress event: from driver logs, or${' '}
      <code>POST /v1/ingest/progress</code>.`;
    return sectionFrame(head, emptyNote('No streaming query reports', advice));
  }
  const sorted = [...streams].sort(
    (a, b) =>
      VERDICT_MEANING[b.verdict].rank - VERDICT_MEANING[a.verdict].rank ||
      (b.lag ?? 0) - (a.lag ?? 0),
  );
  const all = open.has('streams');
  const shown = all ? sorted : sorted.slice(0, FIRST_STREAMS);
  return sectionFrame(
    head,
    html`
      <table class="rows streams" role="table">
        <thead role="rowgroup"><tr role="row">
          <th role="columnheader" scope="col">Query</th>
          <th role="columnheader" scope="col">Verdict</th>
          <th role="columnheader" scope="col" class="num">Lag <span class="unit">records</span></th>
          <th role="columnheader" scope="col" class="num">In <span class="unit">rows/s</span></th>
          <th role="columnheader" scope="col" class="num">Processed <span class="unit">rows/s</span></th>
          <th role="columnheader" scope="col" class="num">State <span class="unit">rows</span></th>
          <th role="columnheader" scope="col" class="num">Watermark delay</th>
          <th role="columnheader" scope="col">Last batch</th>
        </tr></thead>
        <tbody role="rowgroup">
          ${shown.map((query) => streamRow(query, { view, actions, open: open.has(keyOf(query)) }))}
        </tbody>
      </table>
      ${
        sorted.length > FIRST_STREAMS &&
        html`
        <button type="button" class="more" aria-expanded=${all}
          onClick=${() => actions.toggle('streams')}>
          ${all ? 'Show fewer' : `Show all ${formatCount(sorted.length)}`}
        </button>`
      }
    `,
  );
}

/** @param {StreamingQuery} query */
function keyOf({ cluster, application, id }) {
  return `stream/${cluster}/${application}/${id}`;
}

/**
 * @param {StreamingQuery} query
 * @param {{ view: import('./view-state.js').ViewState, actions: Actions, open: boolean }} context
 */
function streamRow(query, { view, actions, open }) {
  const lastMs = Date.parse(query.lastBatchAt);
  const place = { project: query.project, application: query.application };
  const logs = viewOfLogs(view, place, minuteAround(lastMs));
  const { tone, meaning } = VERDICT_MEANING[query.verdict];
  const who = `${view.project === '' ? `${query.project} · ` : ''}${query.application}`;
  return html`
    <tr role="row" key=${keyOf(query)}>
      <td role="cell" class="name-cell">
        <span class="name" title=${query.id}>${query.name === '' ? query.id : query.name}</span>
        <span class="sub-line">
          <span class="sub" title=${who}>${who}</span>
          ${
            query.partitions.length > 0 &&
            html`
          <button type="button" class="inline" aria-expanded=${open}
            onClick=${() => actions.toggle(keyOf(query))}>
            ${open ? '▾' : '▸'} ${formatCount(query.partitions.length)} partitions</button>`
          }
        </span>
        ${open && partitionList(query)}
      </td>
      <td role="cell" data-label="Verdict">
        <span class="badge ${tone}" title=${meaning}>${query.verdict.toUpperCase()}</span>
        ${query.state !== 'running' && html`<span class="sub">${query.state}</span>`}
      </td>
      <td role="cell" class="num strong" data-label="Lag" title=${query.lag}>${formatCount(query.lag)}</td>
      <td role="cell" class="num" data-label="In, rows/s">${formatCount(query.inputRowsPerSecond)}</td>
      <td role="cell" class="num" data-label="Processed/s">${formatCount(query.processedRowsPerSecond)}</td>
      <td role="cell" class="num" data-label="State rows">${formatCount(query.stateRows)}</td>
      <td role="cell" class="num" data-label="Watermark delay">
        ${query.watermarkDelayMs === null ? '—' : formatDuration(query.watermarkDelayMs)}</td>
      <td role="cell" data-label="Last batch">
        <span class="nowrap">${pastText(lastMs)}</span>
        <span class="sub batch">#${query.batchId} · <a href="${viewAddress(logs)}#logs"
          onClick=${(/** @type {MouseEvent} */ event) => actions.follow(event, logs, 'logs')}>logs then</a></span>
      </td>
    </tr>
  `;
}

/** @param {StreamingQuery} query */
function partitionList({ partitions }) {
  const worst = [...partitions].sort(
    (a, b) =>
      VERDICT_MEANING[b.verdict].rank - VERDICT_MEANING[a.verdict].rank ||
      (b.lag ?? 0) - (a.lag ?? 0),
  );
  const hidden = worst.length - MOST_PARTITIONS;
  return html`
    <ul class="partitions">
      ${worst.slice(0, MOST_PARTITIONS).map(
        ({ topic, partition, lag, verdict }) => html`
        <li key="${topic}/${partition}">
          <span class="id">${topic}/${partition}</span>
          <span class="badge ${VERDICT_MEANING[verdict].tone}">${verdict.toUpperCase()}</span>
          <span class="num">${formatCount(lag)}</span>
        </li>`,
      )}
      ${hidden > 0 && html`<li class="muted">and ${hidden} more</li>`}
    </ul>
  `;
}

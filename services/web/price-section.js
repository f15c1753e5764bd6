import { Chart } from './chart.js';
import { formatInstant, formatPrice } from './format.js';
import { html } from './markup.js';
import { priceLine } from './price-line.js';
import { emptyNote, loadingLines, sectionFrame } from './section-frame.js';
import { serverClock } from './server-clock.js';
import { timeText } from './time-text.js';

/**
 * @typedef {import('./rest-client.js').PoolPrice} PoolPrice
 */

/**
 * The price of each pool: now, next, and how it came here.
 * @param {import('./page-state.js').PageState} state
 */
export function priceSection({ prices }) {
  const head = { id: 'price', title: 'Price', note: 'multiplier of the rate card' };
  if (prices === undefined) return sectionFrame(head, loadingLines(5));
  if (prices.length === 0) {
    const advice = 'A pool has a price as soon as one of its clusters reports its load.';
    return sectionFrame(head, emptyNote('No price yet', advice));
  }
  const body = html`
    <ul class="cards">
      ${prices.map((pool) => html`<li key=${pool.pool}>${poolCard(pool)}</li>`)}
    </ul>
  `;
  return sectionFrame(head, body);
}

/** @param {PoolPrice} pool */
function poolCard(pool) {
  const { now, next } = pool;
  return html`
    <article class="card">
      <header class="card-head">
        <h3>${pool.pool} <span class="muted">pool</span></h3>
        <p class="card-note" title=${formatInstant(Date.parse(now.start))}>
          since ${timeText(Date.parse(now.start))}
        </p>
      </header>
      <p class="load-line">
        <span><b>${formatPrice(now.multiplier)}</b> now</span>
        ${
          next === null
            ? html`<span class="muted">no change announced</span>`
            : html`<span class=${Number(next.multiplier) > Number(now.multiplier) ? 'warn-text' : 'good-text'}>
              ${formatPrice(next.multiplier)} ${timeText(Date.parse(next.start))}</span>`
        }
        <span class="muted reason" title=${now.reason}>${now.reason}</span>
      </p>
      ${priceChart(pool)}
    </article>
  `;
}

/** @param {PoolPrice} pool */
function priceChart(pool) {
  const data = priceLine(pool, serverClock.now());
  const summary =
    `Price of pool ${pool.pool}: ${formatPrice(pool.now.multiplier)} now` +
    (pool.next === null
      ? ', no change announced'
      : `, ${formatPrice(pool.next.multiplier)} from ${formatInstant(Date.parse(pool.next.start))}`);
  return html`<${Chart} data=${data} series=${PRICE_SERIES} height=${128} format=${priceMark}
    yRange=${aroundPrices} summary=${summary} />`;
}

const PRICE_SERIES = [
  { label: 'price', color: '--accent', stepped: true, width: 2 },
  { label: 'announced', color: '--warn', stepped: true, dash: [4, 4], width: 2 },
];

/** @param {number} value */
function priceMark(value) {
  return value.toFixed(2);
}

/**
 * @param {[number, number]} range
 * @returns {[number, number]}
 */
function aroundPrices([min, max]) {
  return [Math.min(0.9, min - 0.05), Math.max(1.2, max + 0.05)];
}

import { html } from './markup.js';

/**
 * A part of the page with its heading.
 * @param {{ id: string, title: string, note?: unknown, tools?: unknown }} head
 * @param {unknown} body
 */
export function sectionFrame({ id, title, note, tools }, body) {
  return html`
    <section id=${id} aria-labelledby="${id}-title" class="section">
      <header class="section-head">
        <h2 id="${id}-title">${title}</h2>
        <p class="section-note">${note}</p>
        <div class="section-tools">${tools}</div>
      </header>
      ${body}
    </section>
  `;
}

/**
 * What stands where there is nothing to show, and what to do about it.
 * @param {string} title
 * @param {unknown} advice
 */
export function emptyNote(title, advice) {
  return html`<div class="empty"><p class="empty-title">${title}</p><p>${advice}</p></div>`;
}

/**
 * Grey lines of the height of what comes, so that nothing jumps when it does.
 * @param {number} lines
 */
export function loadingLines(lines) {
  return html`
    <div class="loading" aria-busy="true" aria-label="Loading">
      ${Array.from({ length: lines }, () => html`<div class="loading-line"></div>`)}
    </div>
  `;
}

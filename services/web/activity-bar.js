import { formatShare } from './format.js';
import { html } from './markup.js';

/** Where slot time goes, in the order of the bar. */
export const ACTIVITY_PARTS = /** @type {const} */ ([
  ['usefulMs', 'useful', 'Tasks whose result was used'],
  ['wastedMs', 'wasted', 'Failed, killed and speculative attempts, stages run again'],
  ['idleMs', 'idle', 'Slots that waited for work'],
  ['tailMs', 'tail', 'Executors between their last task and their release'],
  ['startUpMs', 'start-up', 'Executors before their first task'],
]);

/**
 * One application's slot time as a bar, and the same in words.
 * @param {import('./rest-client.js').Activity | null} activity
 */
export function activityBar(activity) {
  if (activity === null || !(activity.slotMs > 0)) {
    return html`<span class="muted" title="Known from the application's event log">not known yet</span>`;
  }
  const parts = ACTIVITY_PARTS.map(([field, name]) => ({ name, ms: activity[field] }));
  const words = parts
    .filter(({ ms }) => ms > 0)
    .map(({ name, ms }) => `${name} ${formatShare(ms, activity.slotMs)}`)
    .join(', ');
  return html`
    <span class="activity" role="img" aria-label="Slot time: ${words}" title=${words}>
      <span class="activity-bar">
        ${parts.map(
          ({ name, ms }) => html`<span key=${name} class="part ${name}"
          style=${{ width: `${(ms / activity.slotMs) * 100}%` }}></span>`,
        )}
      </span>
      <span class="activity-text" aria-hidden="true">${formatShare(activity.usefulMs, activity.slotMs)} useful${
        activity.wastedMs > 0 ? `, ${formatShare(activity.wastedMs, activity.slotMs)} wasted` : ''
      }</span>
    </span>
  `;
}

/** What the colours mean. */
export function activityLegend() {
  return html`
    <span class="legend">
      ${ACTIVITY_PARTS.map(
        ([, name, meaning]) => html`
        <span class="legend-item" title=${meaning}><span class="swatch ${name}"></span>${name}</span>`,
      )}
    </span>
  `;
}

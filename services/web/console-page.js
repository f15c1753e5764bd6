import { applicationsSection } from './applications-section.js';
import { awayBanner } from './away-banner.js';
import { clustersSection } from './clusters-section.js';
import { logsSection } from './logs-section.js';
import { html } from './markup.js';
import { pageHeader } from './page-header.js';
import { priceSection } from './price-section.js';
import { projectsSection } from './projects-section.js';
import { signIn } from './sign-in.js';
import { streamsSection } from './streams-section.js';
import { summaryTiles } from './summary-tiles.js';

/**
 * @param {import('./page-state.js').PageState} state
 * @param {import('./actions.js').Actions} actions
 */
export function consolePage(state, actions) {
  if (state.signIn !== undefined) return signIn(state, actions);
  return html`
    <a class="skip" href="#main">To the content</a>
    ${pageHeader(state, actions)}
    <main id="main" tabindex="-1">
      <h1 class="visually-hidden">Tollgate console</h1>
      ${summaryTiles(state)}
      <div class=${(state.prices?.length ?? 0) > 1 ? '' : 'pair'}>${clustersSection(state)} ${priceSection(state)}</div>
      ${projectsSection(state, actions)}
      ${
        state.projectProblem !== '' &&
        html`<p class="problem" role="alert">
        ${state.view.project}: ${state.projectProblem}</p>`
      }
      ${applicationsSection(state, actions)} ${streamsSection(state, actions)}
      ${logsSection(state, actions)}
    </main>
    ${awayBanner(state, actions)}
  `;
}

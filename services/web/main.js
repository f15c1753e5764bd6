import { render } from '/modules/preact.js';
import { createActions } from './actions.js';
import { consolePage } from './console-page.js';
import { loadLogs } from './load-logs.js';
import { loadOverview } from './load-overview.js';
import { createPageState } from './page-state.js';
import { repeat } from './repeat.js';
import { readView } from './view-state.js';

const OVERVIEW_MS = 3000;
const LOGS_MS = 2000;
/** A search that isn't followed is asked again only now and then, to fill what wasn't answered. */
const STILL_LOGS_MS = 2_147_483_647;
const AWAY_MS = 4000;

const root = document.getElementById('page');
if (root === null) throw new Error('index.html has no element #page');

const page = createPageState({ view: readView(location.search) });

const logs = repeat(
  async (signal) => {
    await loadLogs(page, signal);
  },
  () => {
    const { view, away, projects, logCursor, logs: shown } = page.get();
    if (away !== undefined || projects === undefined) return AWAY_MS;
    const longer = logCursor === null && (shown?.length ?? 0) > 0 && !view.follow;
    return view.follow && !longer ? LOGS_MS : STILL_LOGS_MS;
  },
);
const overview = repeat(
  async (signal) => {
    const first = page.get().projects === undefined;
    const wasAway = page.get().away !== undefined;
    await loadOverview(page, signal);
    if (first || (wasAway && page.get().away === undefined)) logs.now();
  },
  () => (page.get().away === undefined ? OVERVIEW_MS : AWAY_MS),
);
const actions = createActions({ page, reloadOverview: overview.now, reloadLogs: logs.now });

let drawn = false;
const draw = () => {
  drawn = false;
  render(consolePage(page.get(), actions), root);
};
page.onChange(() => {
  // Several changes of one turn are one drawing.
  if (!drawn) queueMicrotask(draw);
  drawn = true;
});
draw();

addEventListener('popstate', actions.arrive);
addEventListener('keydown', (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  const writes = /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName);
  if (event.key !== '/' || writes || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  document.getElementById('logs')?.scrollIntoView();
  document.getElementById('log-text')?.focus();
});

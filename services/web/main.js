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
/** The longest that a timer can wait. */
const LONGEST_WAIT_MS = 2_147_483_647;
const AWAY_MS = 4000;

const root = document.getElementById('page');
if (root === null) throw new Error('index.html has no element #page');

// The secret of a one-time link stands behind the # of an address, which is sent to nobody; it is
// taken out of the address before anything else.
const link = /^#admin-link=([\w-]{1,100})$/.exec(location.hash)?.[1];
if (link !== undefined) history.replaceState(null, '', location.pathname + location.search);

const page = createPageState({
  view: readView(location.search),
  ...(link === undefined ? {} : { signIn: { link, problem: '', busy: false } }),
});

// A search that isn't followed is asked once: older lines that were added stay.
let searchWanted = true;
const logs = repeat(
  async (signal) => {
    if (page.get().signIn !== undefined) return;
    if (!searchWanted && !page.get().view.follow) return;
    if (await loadLogs(page, signal)) searchWanted = false;
  },
  () => {
    if (searchWanted) return AWAY_MS;
    return page.get().view.follow ? LOGS_MS : LONGEST_WAIT_MS;
  },
);
const reloadLogs = () => {
  searchWanted = true;
  logs.now();
};
const overview = repeat(
  async (signal) => {
    const before = page.get();
    if (before.signIn !== undefined) return;
    await loadOverview(page, signal);
    if (before.away !== undefined && page.get().away === undefined) reloadLogs();
  },
  () => (page.get().away === undefined ? OVERVIEW_MS : AWAY_MS),
);
const actions = createActions({ page, reloadOverview: overview.now, reloadLogs });

let searchable = false;
let drawn = false;
const draw = () => {
  drawn = false;
  render(consolePage(page.get(), actions), root);
};
page.onChange(() => {
  if (!searchable && page.get().projects !== undefined) {
    searchable = true;
    reloadLogs();
  }
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

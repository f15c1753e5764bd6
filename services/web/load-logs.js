import { busiestProjects } from './busiest-projects.js';
import { RefusedError, restClient } from './rest-client.js';
import { serverClock } from './server-clock.js';
import { RANGES } from './view-state.js';

/** Lines of one page of the search. */
const PAGE_LINES = 200;
/** Lines that are kept in the page at most; older ones are a narrower search away. */
export const MOST_LINES = 1000;
const MOST_GROUPS = 100;

/**
 * @typedef {ReturnType<typeof import('./page-state.js').createPageState>} Page
 */

/**
 * @param {import('./view-state.js').ViewState} view
 * @param {number} nowMs
 */
export function logParameters(view, nowMs) {
  const minutes = RANGES[/** @type {keyof typeof RANGES} */ (view.range)] ?? RANGES['1h'];
  const fixed = view.from !== '';
  return {
    text: view.text,
    level: view.level,
    application: view.application,
    container: view.container,
    fingerprint: view.fingerprint,
    from: fixed ? view.from : new Date(nowMs - minutes * 60_000).toISOString(),
    // A little ahead, since clocks of clusters differ from the server's.
    until: fixed ? view.until : new Date(nowMs + 60_000).toISOString(),
  };
}

/**
 * Reads the newest logs, or the groups of them, that the view asks for.
 * @param {Page} page
 * @param {AbortSignal} signal
 * @returns {Promise<boolean>} whether it was answered
 */
export async function loadLogs(page, signal) {
  const { view, projects } = page.get();
  // Before the first answer the server's time isn't known, nor whom to ask.
  if (projects === undefined) return false;
  const asked = busiestProjects(projects, view.project);
  const parameters = logParameters(view, serverClock.now());
  const rest = restClient(signal);
  try {
    const patch = view.grouped
      ? await readGroups(rest, asked, parameters)
      : await readNewest(rest, asked, parameters);
    if (signal.aborted) return false;
    page.set({ ...patch, logProblem: '', searching: false });
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    // When nothing answers the banner says so; here only refusals are told.
    const logProblem = error instanceof RefusedError ? error.message : page.get().logProblem;
    page.set({ logProblem, searching: false });
    return error instanceof RefusedError;
  }
}

/**
 * @param {ReturnType<typeof restClient>} rest
 * @param {string[]} asked
 * @param {ReturnType<typeof logParameters>} parameters
 */
async function readNewest(rest, asked, parameters) {
  const answers = await Promise.all(
    asked.map((project) => rest.logs(project, { ...parameters, limit: PAGE_LINES })),
  );
  const logs = answers
    .flatMap((answer) => answer.logs)
    .sort((a, b) => Date.parse(b.at) - Date.parse(a.at))
    .slice(0, PAGE_LINES);
  // Pages of several projects end at different times, so only one project's go on.
  const logCursor = answers.length === 1 ? (answers[0]?.cursor ?? null) : null;
  return { logs, logCursor };
}

/**
 * @param {ReturnType<typeof restClient>} rest
 * @param {string[]} asked
 * @param {ReturnType<typeof logParameters>} parameters
 */
async function readGroups(rest, asked, parameters) {
  const answers = await Promise.all(asked.map((project) => rest.logGroups(project, parameters)));
  const logGroups = answers
    .flat()
    .sort((a, b) => b.count - a.count)
    .slice(0, MOST_GROUPS);
  return { logGroups };
}

/**
 * Adds the page of older logs below those shown.
 * @param {Page} page
 */
export async function loadOlderLogs(page) {
  const { view, logs, logCursor } = page.get();
  if (logCursor === null || view.project === '') return;
  const parameters = logParameters(view, serverClock.now());
  page.set({ searching: true });
  try {
    const rest = restClient(new AbortController().signal);
    const answer = await rest.logs(view.project, {
      ...parameters,
      limit: PAGE_LINES,
      cursor: logCursor,
    });
    // Another search began meanwhile: these lines aren't its.
    if (page.get().logs !== logs) return;
    const all = [...(logs ?? []), ...answer.logs].slice(0, MOST_LINES);
    const cursor = all.length >= MOST_LINES ? null : answer.cursor;
    page.set({ logs: all, logCursor: cursor, searching: false });
  } catch (error) {
    const logProblem = error instanceof Error ? error.message : String(error);
    page.set({ logProblem, searching: false });
  }
}

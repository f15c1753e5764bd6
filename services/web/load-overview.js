import { busiestProjects } from './busiest-projects.js';
import { AwayError, RefusedError, restClient } from './rest-client.js';
import { serverClock } from './server-clock.js';

/** Rows of one project's applications that are asked for. */
const APPLICATIONS = 100;
/** How far back the price line goes. */
const PRICE_HISTORY_MS = 6 * 3_600_000;

/**
 * Reads everything but the logs into the state of the page. What couldn't be read keeps its last
 * value, and the page says how old it is.
 * @param {ReturnType<typeof import('./page-state.js').createPageState>} page
 * @param {AbortSignal} signal
 */
export async function loadOverview(page, signal) {
  const rest = restClient(signal);
  const { view } = page.get();
  try {
    const askedAtMs = Date.now();
    const status = await rest.status();
    serverClock.adjust(status.now, askedAtMs);
    const from = new Date(serverClock.now() - PRICE_HISTORY_MS).toISOString();
    const [session, clusters, prices, projects] = await Promise.all([
      // It stays the same until somebody signs in or out, which begins anew.
      page.get().session ?? rest.session(),
      rest.clusters(),
      rest.prices(from),
      rest.projects(),
    ]);
    if (signal.aborted) return;
    page.set({ status, session, clusters, prices, projects });
    const work = await loadWork(rest, view, projects);
    if (signal.aborted) return;
    page.set({ ...work, away: undefined, loadedAtMs: serverClock.now() });
  } catch (error) {
    if (signal.aborted) return;
    page.set(failure(page.get(), error));
  }
}

/**
 * @param {ReturnType<typeof restClient>} rest
 * @param {import('./view-state.js').ViewState} view
 * @param {import('./rest-client.js').Project[]} projects
 * @returns {Promise<Partial<import('./page-state.js').PageState>>}
 */
async function loadWork(rest, view, projects) {
  const asked = busiestProjects(projects, view.project);
  try {
    const [applications, streams] = await Promise.all([
      Promise.all(
        asked.map((project) =>
          rest.applications(project, { state: view.applications, limit: APPLICATIONS }),
        ),
      ),
      Promise.all(asked.map((project) => rest.streamingQueries(project))),
    ]);
    return {
      applications: applications.flatMap((answer) => answer.applications),
      streams: streams.flat(),
      projectProblem: '',
    };
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    return { applications: [], streams: [], projectProblem: error.message };
  }
}

/**
 * @param {import('./page-state.js').PageState} state
 * @param {unknown} error
 * @returns {Partial<import('./page-state.js').PageState>}
 */
function failure(state, error) {
  const answered = !(error instanceof AwayError);
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof RefusedError && error.status === 401) {
    return {
      session: undefined,
      signIn: state.signIn ?? { link: '', problem: '', busy: false },
      away: undefined,
    };
  }
  // A refusal of the overview itself is as bad as no answer: there is nothing newer to show.
  const text = answered ? `it refused: ${reason}` : reason;
  return { away: { sinceMs: state.away?.sinceMs ?? serverClock.now(), reason: text } };
}

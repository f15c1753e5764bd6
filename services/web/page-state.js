import { FIRST_VIEW } from './view-state.js';

/**
 * @typedef {import('./rest-client.js').Status} Status
 * @typedef {import('./rest-client.js').Session} Session
 * @typedef {import('./rest-client.js').Cluster} Cluster
 * @typedef {import('./rest-client.js').PoolPrice} PoolPrice
 * @typedef {import('./rest-client.js').Project} Project
 * @typedef {import('./rest-client.js').Application} Application
 * @typedef {import('./rest-client.js').StreamingQuery} StreamingQuery
 * @typedef {import('./rest-client.js').Log} Log
 * @typedef {import('./rest-client.js').LogGroup} LogGroup
 */

/**
 * What the page shows. `undefined` is not known yet; `[]` is known to be empty.
 * @typedef {object} PageState
 * @property {import('./view-state.js').ViewState} view
 * @property {Status | undefined} status
 * @property {Session | undefined} session who is signed in
 * @property {Cluster[] | undefined} clusters
 * @property {PoolPrice[] | undefined} prices
 * @property {Project[] | undefined} projects
 * @property {Application[] | undefined} applications
 * @property {StreamingQuery[] | undefined} streams
 * @property {Log[] | undefined} logs
 * @property {string | null} logCursor where older logs go on
 * @property {LogGroup[] | undefined} logGroups
 * @property {string} logProblem why the search was refused, or ''
 * @property {string} projectProblem why the chosen project can't be shown, or ''
 * @property {boolean} searching
 * @property {{ sinceMs: number, reason: string } | undefined} away set while nothing answers
 * @property {number} loadedAtMs server time of what is shown
 * @property {{ link: string, problem: string, busy: boolean } | undefined} signIn set while a token
 *   is needed; `link` is the secret of a one-time link, or ''
 * @property {ReadonlySet<string>} open parts of the page that were opened
 */

/** @type {PageState} */
const EMPTY = {
  view: FIRST_VIEW,
  status: undefined,
  session: undefined,
  clusters: undefined,
  prices: undefined,
  projects: undefined,
  applications: undefined,
  streams: undefined,
  logs: undefined,
  logCursor: null,
  logGroups: undefined,
  logProblem: '',
  projectProblem: '',
  searching: false,
  away: undefined,
  loadedAtMs: 0,
  signIn: undefined,
  open: new Set(),
};

/**
 * The one state of the page. Readers are told after each change.
 * @param {Partial<PageState>} start
 */
export function createPageState(start) {
  let state = { ...EMPTY, ...start };
  /** @type {(() => void)[]} */
  const readers = [];
  return {
    get: () => state,
    /** @param {Partial<PageState>} patch */
    set(patch) {
      state = { ...state, ...patch };
      for (const reader of readers) reader();
    },
    /** @param {() => void} reader */
    onChange(reader) {
      readers.push(reader);
    },
  };
}

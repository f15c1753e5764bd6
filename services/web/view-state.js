/**
 * What the address of the page says: everything that a shared link brings back.
 * @typedef {object} ViewState
 * @property {string} project '' is all projects
 * @property {'running' | 'ended'} applications
 * @property {string} text
 * @property {string} level lowest level shown, '' is all
 * @property {string} application
 * @property {string} container
 * @property {string} fingerprint
 * @property {string} range a key of `RANGES`; unused when `from` and `until` are given
 * @property {string} from ISO instant or ''
 * @property {string} until ISO instant or ''
 * @property {boolean} grouped
 * @property {boolean} follow
 */

/** Ranges of the log search, in minutes. */
export const RANGES = { '15m': 15, '1h': 60, '6h': 360, '24h': 1440, '7d': 10_080 };
const LEVELS = ['', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
const LONGEST = 500;

/** @type {ViewState} */
export const FIRST_VIEW = {
  project: '',
  applications: 'running',
  text: '',
  level: '',
  application: '',
  container: '',
  fingerprint: '',
  range: '1h',
  from: '',
  until: '',
  grouped: false,
  follow: true,
};

/**
 * Reads the address; what it says wrongly falls back to the first view.
 * @param {string} search
 * @returns {ViewState}
 */
export function readView(search) {
  const query = new URLSearchParams(search);
  /** @param {string} name */
  const text = (name) => (query.get(name) ?? '').slice(0, LONGEST);
  const range = text('range');
  const level = text('level').toUpperCase();
  const from = instant(text('from'));
  const until = instant(text('until'));
  const fixed = from !== '' && until !== '';
  return {
    project: text('project'),
    applications: text('applications') === 'ended' ? 'ended' : 'running',
    text: text('text'),
    level: LEVELS.includes(level) ? level : '',
    application: text('application'),
    container: text('container'),
    fingerprint: text('fingerprint'),
    range: Object.hasOwn(RANGES, range) ? range : FIRST_VIEW.range,
    from: fixed ? from : '',
    until: fixed ? until : '',
    grouped: text('grouped') === '1',
    follow: !fixed && text('follow') !== '0',
  };
}

/**
 * The address of a view, with only what differs from the first view.
 * @param {ViewState} view
 */
export function viewAddress(view) {
  const query = new URLSearchParams();
  for (const key of /** @type {(keyof ViewState)[]} */ (Object.keys(FIRST_VIEW))) {
    const value = view[key];
    if (value === FIRST_VIEW[key] || (key === 'follow' && view.from !== '')) continue;
    query.set(key, typeof value === 'boolean' ? (value ? '1' : '0') : value);
  }
  const search = query.toString();
  return search === '' ? '/' : `/?${search}`;
}

/**
 * The view with only the logs of one place, around one time.
 * @param {ViewState} view
 * @param {{ project: string, application: string, container?: string }} place
 * @param {{ fromMs: number, untilMs: number }} span
 * @returns {ViewState}
 */
export function viewOfLogs(view, place, span) {
  return {
    ...view,
    text: '',
    level: '',
    fingerprint: '',
    grouped: false,
    project: place.project,
    application: place.application,
    container: place.container ?? '',
    from: new Date(span.fromMs).toISOString(),
    until: new Date(span.untilMs).toISOString(),
    follow: false,
  };
}

/** @param {string} text */
function instant(text) {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? '' : new Date(ms).toISOString();
}

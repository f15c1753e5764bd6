import { loadOlderLogs } from './load-logs.js';
import { changeSession } from './rest-client.js';
import { FIRST_VIEW, readView, viewAddress } from './view-state.js';

/** Typing rests this long before it is searched. */
const TYPING_MS = 250;

/**
 * @typedef {import('./view-state.js').ViewState} ViewState
 * @typedef {ReturnType<typeof createActions>} Actions
 */

/**
 * What a person can do on the page.
 * @param {{ page: ReturnType<typeof import('./page-state.js').createPageState>,
 *   reloadOverview: () => void, reloadLogs: () => void }} parts
 */
export function createActions({ page, reloadOverview, reloadLogs }) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let typing;

  /** @param {ViewState} view */
  const apply = (view) => {
    const before = page.get().view;
    const other = view.project !== before.project || view.applications !== before.applications;
    page.set({
      view,
      searching: true,
      ...(other ? { applications: undefined, projectProblem: '' } : {}),
      ...(view.project === before.project ? {} : { streams: undefined }),
      ...(sameSearch(before, view)
        ? {}
        : { logs: undefined, logGroups: undefined, logCursor: null }),
    });
    if (other) reloadOverview();
    reloadLogs();
  };

  /** @param {ViewState} view */
  const show = (view) => {
    clearTimeout(typing);
    history.pushState(null, '', viewAddress(view));
    apply(view);
  };

  /**
   * A click on a link of the page; with a modifier key it is the browser's.
   * @param {MouseEvent} event
   * @param {ViewState} view
   * @param {string} [section] to bring into sight
   */
  const follow = (event, view, section) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    show(view);
    if (section !== undefined) document.getElementById(section)?.scrollIntoView();
  };

  return {
    show,
    follow,
    /** @param {MouseEvent} event */
    home: (event) => follow(event, FIRST_VIEW),
    /** The address changed: back, forward. */
    arrive: () => {
      const view = readView(location.search);
      if (viewAddress(view) !== viewAddress(page.get().view)) apply(view);
    },
    /** @param {Partial<ViewState>} patch */
    type(patch) {
      const view = { ...page.get().view, ...patch };
      page.set({ view });
      clearTimeout(typing);
      typing = setTimeout(() => {
        history.replaceState(null, '', viewAddress(view));
        page.set({ searching: true });
        reloadLogs();
      }, TYPING_MS);
    },
    searchNow() {
      clearTimeout(typing);
      show(page.get().view);
    },
    older() {
      // Following would put the newest lines in the place of those that are read now.
      const view = { ...page.get().view, follow: false };
      history.replaceState(null, '', viewAddress(view));
      page.set({ view });
      void loadOlderLogs(page);
    },
    /** @param {string} key */
    toggle(key) {
      const open = new Set(page.get().open);
      if (!open.delete(key)) open.add(key);
      page.set({ open });
    },
    /** @param {{ token: string } | { link: string }} credential */
    async signIn(credential) {
      const link = 'link' in credential ? credential.link : '';
      page.set({ signIn: { link, problem: '', busy: true } });
      try {
        await changeSession(credential);
        page.set({ signIn: undefined, session: undefined });
        reloadOverview();
        reloadLogs();
      } catch (error) {
        const problem = error instanceof Error ? error.message : String(error);
        page.set({ signIn: { link, problem, busy: false } });
      }
    },
    useToken() {
      page.set({ signIn: { link: '', problem: '', busy: false } });
    },
    async signOut() {
      try {
        await changeSession(undefined);
      } catch {
        // The reload tells: without an answer the page says so, else it is signed in still.
      }
      location.reload();
    },
    retry() {
      reloadOverview();
      reloadLogs();
    },
    switchTheme,
  };
}

/**
 * @param {ViewState} a
 * @param {ViewState} b
 */
function sameSearch(a, b) {
  return a.project === b.project && a.grouped === b.grouped;
}

function switchTheme() {
  const { dataset } = document.documentElement;
  const dark =
    dataset['theme'] === undefined
      ? matchMedia('(prefers-color-scheme: dark)').matches
      : dataset['theme'] === 'dark';
  dataset['theme'] = dark ? 'light' : 'dark';
  dispatchEvent(new Event('themechange'));
  try {
    localStorage.setItem('tollgate-theme', dataset['theme']);
  } catch {
    // Storage is refused in some private windows; the choice holds until the page is left.
  }
}

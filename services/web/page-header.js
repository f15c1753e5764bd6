import { Component } from '/modules/preact.js';
import { formatInstant } from './format.js';
import { html } from './markup.js';
import { serverClock } from './server-clock.js';

/** The server's time, in UTC. */
class UtcClock extends Component {
  /** @override */
  componentDidMount() {
    this.timer = setInterval(() => this.forceUpdate(), 1000);
  }

  /** @override */
  componentWillUnmount() {
    clearInterval(this.timer);
  }

  /** @override */
  render() {
    const text = formatInstant(serverClock.now());
    return html`<span class="utc" title="The server's time; all times of this page are in UTC">
      <span class="utc-day">${text.slice(0, 10)}</span> ${text.slice(11)}</span>`;
  }
}

/**
 * @param {import('./page-state.js').PageState} state
 * @param {import('./actions.js').Actions} actions
 */
export function pageHeader({ view, projects, status, session }, actions) {
  const known = (projects ?? []).map(({ id }) => id).sort();
  const listed =
    view.project === '' || known.includes(view.project) ? known : [view.project, ...known];
  return html`
    <header class="page-head">
      <a class="brand" href="/" onClick=${(/** @type {MouseEvent} */ event) => actions.home(event)}>
        <img src="/icon.svg" alt="" width="22" height="22" /><span>Tollgate</span></a>
      ${status?.mode === 'demo' && html`<span class="badge demo" title="A simulated platform: nothing here is real">demo data</span>`}
      <div class="project-choice">
        <select aria-label="Project" onChange=${(/** @type {Event} */ event) =>
          actions.show({
            ...view,
            project: /** @type {HTMLSelectElement} */ (event.target).value,
            application: '',
            container: '',
            fingerprint: '',
          })}>
          <option value="" selected=${view.project === ''}>All projects</option>
          ${listed.map((id) => html`<option key=${id} value=${id} selected=${view.project === id}>${id}</option>`)}
        </select>
      </div>
      <nav aria-label="Parts of the page">
        <a href="#clusters">Clusters</a><a href="#projects">Projects</a>
        <a href="#applications">Applications</a><a href="#streams">Streams</a><a href="#logs">Logs</a>
      </nav>
      <${UtcClock} />
      ${
        session?.required &&
        html`<button type="button" class="sign-out" onClick=${actions.signOut}
        title=${session.label === '' ? 'Forget the token in this browser' : `Signed in with the token "${session.label}"`}>Sign out</button>`
      }
      <button type="button" class="theme-button" onClick=${actions.switchTheme}
        aria-label="Switch between light and dark" title="Light or dark">
        <span aria-hidden="true">◐</span></button>
    </header>
  `;
}

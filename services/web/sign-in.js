import { html } from './markup.js';

/**
 * What is shown in place of the page while nobody is signed in: a field for a token, or, behind a
 * one-time link, a button, as opening a link must do nothing by itself.
 * @param {import('./page-state.js').PageState} state
 * @param {import('./actions.js').Actions} actions
 */
export function signIn({ signIn: state }, actions) {
  if (state === undefined) return null;
  const { link, problem, busy } = state;
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    const field = document.getElementById('token');
    const token = field instanceof HTMLInputElement ? field.value.trim() : '';
    void actions.signIn(link === '' ? { token } : { link });
  };
  return html`
    <main id="main" class="sign-in">
      <form onSubmit=${submit} autocomplete="off">
        <h1><img src="/icon.svg" alt="" width="28" height="28" /> Tollgate</h1>
        ${
          link === ''
            ? html`<label for="token">API token</label>
              <input id="token" type="password" placeholder="tg_…" required spellcheck=${false}
                autocomplete="current-password" aria-describedby="token-help" />
              <p id="token-help" class="sign-in-help">Made by <code>tollgate token create --scope read</code>.
                This browser keeps it out of reach of scripts, for a week at most.</p>`
            : html`<p>This link makes you the administrator of this Tollgate for 12 hours. It works once.</p>`
        }
        ${problem !== '' && html`<p class="problem" role="alert">${problem}</p>`}
        <button type="submit" disabled=${busy}>${link === '' ? 'Sign in' : 'Sign in as administrator'}</button>
        ${
          link !== '' &&
          html`<button type="button" class="quiet" onClick=${actions.useToken}>I have a token</button>`
        }
      </form>
    </main>
  `;
}

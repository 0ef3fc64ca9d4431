import { signIn } from '../api.js';
import { h } from '../dom.js';

/**
 * Asks for a token, which this tab keeps until it is closed.
 *
 * @param {HTMLElement} main
 * @param {() => void} done
 * @param {string} [fault]
 */
export function showSignIn(main, done, fault) {
  const token = h('input', { type: 'password', autocomplete: 'off', required: true, name: 'token' });
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    signIn(token.value.trim());
    done();
  };
  main.replaceChildren(
    h('h2', {}, 'Who is there?'),
    h(
      'form',
      { onsubmit: submit },
      h('label', {}, 'Token', token),
      h('p', { class: 'quiet' }, 'This tab keeps it until it is closed; it goes to this server only.'),
      h('p', { class: 'fault', role: 'alert' }, fault ?? ''),
      h('button', {}, 'Go on'),
    ),
  );
  token.focus();
}

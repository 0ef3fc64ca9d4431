import { signIn } from '../api.js';
import { h } from '../dom.js';

/**
 * Asks for a token, which this tab keeps until it is closed.
 *
 * @param {HTMLElement} main
 * @param {() => void} done called once
 * @param {string} [fault]
 */
export function showSignIn(main, done, fault) {
  const token = h('input', { type: 'password', autocomplete: 'off', required: true, name: 'token' });
  const button = h('button', {}, 'Go on');
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    signIn(token.value.trim());
    done();
  };
  main.replaceChildren(
    h(
      'form',
      { onsubmit: submit, class: 'sign-in' },
      h('h2', {}, 'Who is there?'),
      h('label', {}, 'Token', token),
      h('p', { class: 'quiet' }, 'This tab keeps it until it is closed; it goes to this server only.'),
      h('p', { class: 'fault', role: 'alert' }, fault ?? ''),
      button,
    ),
  );
  token.focus();
}

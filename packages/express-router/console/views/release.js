import { call, isSilence } from '../api.js';
import { clock, h, messageOf, words } from '../dom.js';
import { nameOf, nameWithin } from '../latch.js';
import { pause } from '../pace.js';

/**
 * Opening what was stopped: a page of its own, a word to type, one scope at a time.
 *
 * @param {HTMLElement} main
 * @param {import('../types.js').Me} me
 * @param {AbortSignal} signal
 */
export async function showRelease(main, me, signal) {
  const said = h('p', { role: 'status' }, 'Looking what is stopped…');
  const forms = h('div', {});
  main.replaceChildren(
    h('h2', {}, 'Release'),
    h('p', {}, 'A release lets agents start again. It starts none by itself.'),
    said,
    forms,
  );
  const show = (/** @type {readonly import('../types.js').Gate[]} */ gates, note = '') => {
    const scopes = new Map(
      gates
        .filter(({ opens, scope }) => opens === 'on-release' && pathOf(scope, me) !== undefined)
        .map((gate) => [JSON.stringify(gate.scope), gate.scope]),
    );
    said.textContent = scopes.size === 0 ? 'Nothing is stopped that you may release.' : note;
    forms.replaceChildren(
      ...[...scopes.values()].map((scope) => form(scope, gatesOn(scope, gates), { me, again: show })),
    );
  };
  const gates = await stopped(said, signal);
  if (!signal.aborted) show(gates);
}

/** @param {import('../types.js').Scope} scope @param {readonly import('../types.js').Gate[]} gates */
function gatesOn(scope, gates) {
  return gates.filter((gate) => JSON.stringify(gate.scope) === JSON.stringify(scope));
}

/** Asks until there is an answer. @param {HTMLElement} said @param {AbortSignal} signal @returns {Promise<readonly import('../types.js').Gate[]>} */
async function stopped(said, signal) {
  while (!signal.aborted) {
    try {
      return (await call('GET', '/status')).gates;
    } catch (error) {
      if (!isSilence(error)) said.textContent = messageOf(error);
      await pause(1_000);
    }
  }
  return [];
}

/**
 * @param {import('../types.js').Scope} scope
 * @param {readonly import('../types.js').Gate[]} gates what is said of it
 * @param {object} about
 * @param {import('../types.js').Me} about.me
 * @param {(gates: readonly import('../types.js').Gate[], note: string) => void} about.again shows all anew
 */
function form(scope, gates, { me, again }) {
  const reason = h('textarea', { required: true, maxlength: '2000', rows: '2' });
  const word = h('input', { autocomplete: 'off', autocapitalize: 'characters', spellcheck: 'false' });
  const said = h('p', { role: 'status' });
  const button = h('button', { disabled: true }, `Release ${nameWithin(scope)}`);
  const arm = () => {
    button.disabled = reason.value.trim() === '' || word.value.trim().toUpperCase() !== 'RELEASE';
  };
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    said.textContent = '';
    try {
      const now = (await call('GET', '/status')).gates;
      if (isMore(gatesOn(scope, now), gates)) {
        again(
          now,
          'Not released: somebody has stopped it again meanwhile. Read why, then say anew that it is safe.',
        );
        return;
      }
      const { message } = await call('POST', pathOf(scope, me) ?? '', { body: { reason: reason.value } });
      said.textContent = message;
    } catch (error) {
      said.textContent = `Not released: ${messageOf(error)}`;
      arm();
    }
  };
  return h(
    'form',
    { onsubmit: send, oninput: arm, class: 'panel' },
    h('h3', {}, nameOf(scope)),
    ...gates.map(({ principal, shutAt, reason: why }) =>
      h('p', {}, `Stopped by ${principal.id} on ${clock(shutAt)}: `, words(why)),
    ),
    h('label', {}, 'Why it is safe now, for the record', reason),
    h('label', {}, 'Type RELEASE to go on', word),
    said,
    button,
  );
}

/** Whether there is a stop that whoever releases has not read. @param {readonly import('../types.js').Gate[]} now @param {readonly import('../types.js').Gate[]} read */
function isMore(now, read) {
  return now.some(
    (gate) => !read.some((each) => each.orderId === gate.orderId && each.reason === gate.reason),
  );
}

/** @param {import('../types.js').Scope} scope @param {import('../types.js').Me} me */
function pathOf(scope, me) {
  if ('workspace' in scope)
    return me.may.release ||
      me.may.workspaces.some(({ workspaceId, release }) => release && workspaceId === scope.workspace)
      ? `/workspaces/${encodeURIComponent(scope.workspace)}/release`
      : undefined;
  if (!me.may.release) return undefined;
  if ('backend' in scope) return `/backends/${encodeURIComponent(scope.backend)}/reinstate`;
  return 'everything' in scope ? '/emergency-stop/release' : undefined;
}

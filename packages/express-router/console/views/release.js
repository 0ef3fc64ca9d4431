import { call } from '../api.js';
import { clock, h } from '../dom.js';
import { nameOf } from '../latch.js';

/**
 * Opening what was stopped: a page of its own, a word to type, one scope at a time.
 *
 * @param {HTMLElement} main
 * @param {import('../types.js').Me} me
 * @param {AbortSignal} signal
 */
export async function showRelease(main, me, signal) {
  main.replaceChildren(h('h2', {}, 'Release'), h('p', {}, 'Looking what is stopped…'));
  /** @type {import('../types.js').Status} */
  const { gates } = await call('GET', '/status').catch(() => ({
    gates: [],
    openOrders: [],
    auditDegraded: false,
  }));
  if (signal.aborted) return;
  const scopes = new Map(
    gates
      .filter(({ opens, scope }) => opens === 'on-release' && pathOf(scope, me) !== undefined)
      .map((gate) => [JSON.stringify(gate.scope), gate.scope]),
  );
  main.replaceChildren(
    h('h2', {}, 'Release'),
    h('p', {}, 'A release lets agents start again. It starts none by itself.'),
    ...(scopes.size === 0 ? [h('p', {}, 'Nothing is stopped that you may release.')] : []),
    ...[...scopes.values()].map((scope) =>
      form(
        scope,
        gates.filter((gate) => JSON.stringify(gate.scope) === JSON.stringify(scope)),
        me,
      ),
    ),
  );
}

/** @param {import('../types.js').Scope} scope @param {readonly import('../types.js').Gate[]} gates @param {import('../types.js').Me} me */
function form(scope, gates, me) {
  const reason = h('textarea', { required: true, maxlength: '2000', rows: '2' });
  const word = h('input', { autocomplete: 'off' });
  const said = h('p', { role: 'status' });
  const button = h('button', { disabled: true }, `Release ${nameOf(scope).toLowerCase()}`);
  const arm = () => {
    button.disabled = reason.value.trim() === '' || word.value.trim() !== 'RELEASE';
  };
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      said.textContent = (await call('POST', pathOf(scope, me) ?? '', { reason: reason.value })).message;
    } catch (error) {
      said.textContent = `Not released: ${error instanceof Error ? error.message : error}`;
      arm();
    }
  };
  return h(
    'form',
    { onsubmit: send, oninput: arm },
    h('h3', {}, nameOf(scope)),
    ...gates.map(({ principal, shutAt, reason: why }) =>
      h('p', {}, `Stopped by ${principal.id} on ${clock(shutAt)}: ${why}`),
    ),
    h('label', {}, 'Why it is safe now, for the record', reason),
    h('label', {}, 'Type RELEASE to go on', word),
    said,
    button,
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

import { clock, h, words } from './dom.js';

/** A banner is for every page: what is longer stands on the page of the stop. */
const longestReason = 200;

/**
 * The stop of everything, and those of backends and workspaces that wait for a release: who, when, why.
 *
 * @param {HTMLElement} place
 * @param {import('./types.js').Status} status
 * @param {import('./types.js').Me} me
 */
export function showLatch(place, { gates, auditDegraded }, me) {
  const latched = gates.filter(({ opens }) => opens === 'on-release');
  const facts = JSON.stringify([latched, auditDegraded, me.may]);
  if (place.dataset.facts === facts) return;
  place.dataset.facts = facts;
  const mayRelease = me.may.release || me.may.workspaces.some(({ release }) => release);
  const stops = latched.map((gate) =>
    h(
      'p',
      {},
      h('strong', {}, `${nameOf(gate.scope)} is stopped.`),
      ` By ${gate.principal.id} on ${clock(gate.shutAt)}: `,
      words(shortened(gate.reason)),
      ' ',
      maySee(gate.scope, me) ? h('a', { href: orderPage(gate.orderId) }, 'What became of it') : undefined,
    ),
  );
  const faults = auditDegraded
    ? [h('p', {}, h('strong', {}, 'The audit record cannot be written at the moment.'))]
    : [];
  const release = h('a', { href: '#/release', class: 'release' }, 'Release…');
  place.replaceChildren(
    ...(stops.length + faults.length > 0 ? [h('div', {}, ...stops, ...faults)] : []),
    ...(stops.length > 0 && mayRelease ? [release] : []),
  );
}

/** That nobody can see at the moment what is stopped. @param {HTMLElement} place @param {string} [fault] */
export function showDoubt(place, fault) {
  const text = fault === undefined ? '' : `What is stopped cannot be seen ${fault}`;
  if (place.textContent !== text) place.textContent = text;
}

/** @param {string} reason */
function shortened(reason) {
  return reason.length > longestReason ? `${reason.slice(0, longestReason)}…` : reason;
}

/** Whose page of a wide stop is shown to: whoever might have asked for it. @param {import('./types.js').Scope} scope @param {import('./types.js').Me} me */
export function maySee(scope, { may }) {
  if (may.emergencyStop || 'task' in scope || 'agent' in scope) return true;
  return (
    'workspace' in scope &&
    may.workspaces.some(({ workspaceId, killAll }) => killAll && workspaceId === scope.workspace)
  );
}

/** @param {import('./types.js').Scope} scope */
export function nameOf(scope) {
  if ('everything' in scope) return 'Everything';
  const [[kind, id] = []] = Object.entries(scope);
  return `${kind?.[0]?.toUpperCase()}${kind?.slice(1)} ${id}`;
}

/** The same within a sentence. @param {import('./types.js').Scope} scope */
export function nameWithin(scope) {
  return nameOf(scope).replace(/^./, (letter) => letter.toLowerCase());
}

/** @param {string} orderId */
export function orderPage(orderId) {
  return `#/orders/${encodeURIComponent(orderId)}`;
}

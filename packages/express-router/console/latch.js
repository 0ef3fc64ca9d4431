import { clock, h } from './dom.js';

/**
 * The stop of everything, and those of backends and workspaces that wait for a release: who, when, why.
 *
 * @param {HTMLElement} place
 * @param {import('./types.js').Status} status
 * @param {import('./types.js').Me} me
 */
export function showLatch(place, { gates, auditDegraded }, me) {
  const latched = gates.filter(({ opens }) => opens === 'on-release');
  const facts = JSON.stringify([latched, auditDegraded]);
  if (place.dataset.facts === facts) return;
  place.dataset.facts = facts;
  const mayRelease = me.may.release || me.may.workspaces.some(({ release }) => release);
  place.replaceChildren(
    ...latched.map((gate) =>
      h(
        'p',
        {},
        h('strong', {}, `${nameOf(gate.scope)} is stopped.`),
        ` By ${gate.principal.id} on ${clock(gate.shutAt)}: ${gate.reason} `,
        h('a', { href: `#/orders/${encodeURIComponent(gate.orderId)}` }, 'What became of it'),
      ),
    ),
    ...(latched.length > 0 && mayRelease ? [h('p', {}, h('a', { href: '#/release' }, 'Release…'))] : []),
    ...(auditDegraded
      ? [h('p', {}, h('strong', {}, 'The audit record cannot be written at the moment.'))]
      : []),
  );
}

/** @param {import('./types.js').Scope} scope */
export function nameOf(scope) {
  if ('everything' in scope) return 'Everything';
  const [[kind, id] = []] = Object.entries(scope);
  return `${kind?.[0]?.toUpperCase()}${kind?.slice(1)} ${id}`;
}

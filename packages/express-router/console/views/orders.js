import { clock, h, words } from '../dom.js';
import { keyed } from '../keyed.js';
import { nameOf, orderPage } from '../latch.js';
import { onStatus } from '../status.js';

/** So many are shown. */
const mostShown = 200;

/**
 * Stops that are under way, and what is shut: first what opens some day, then what never does, the newest of each first.
 *
 * @param {HTMLElement} main
 * @param {import('../types.js').Me} _me
 * @param {AbortSignal} signal
 */
export function showOrders(main, _me, signal) {
  const open = h('ul', { class: 'cards' });
  const gates = h('ul', { class: 'cards' });
  const none = h('p', {}, 'Looking…');
  const shut = h('p', {});
  const rest = h('p', { class: 'quiet', hidden: true }, 'More tasks were killed earlier.');
  main.replaceChildren(
    ...[h('h2', {}, 'Stops under way'), none, open],
    ...[h('h2', {}, 'What is shut'), shut, gates, rest],
  );
  onStatus((status) => {
    none.textContent = status.openOrders.length === 0 ? 'None.' : '';
    shut.textContent = status.gates.length === 0 ? 'Nothing.' : '';
    rest.hidden = !status.gatesLeftOff && status.gates.length <= mostShown;
    keyed(open, status.openOrders, ({ orderId }) => orderId, card);
    keyed(gates, status.gates.slice(0, mostShown), ({ orderId }) => orderId, card);
  }, signal);
}

/**
 * A stop is what it is: nothing on its card changes.
 *
 * @param {import('../types.js').Gate | import('../types.js').Status['openOrders'][number]} stop
 */
function card(stop) {
  const { orderId, scope, reason, principal } = stop;
  const at = 'shutAt' in stop ? stop.shutAt : stop.requestedAt;
  const element = h(
    'li',
    {},
    h('h3', {}, h('a', { href: orderPage(orderId) }, nameOf(scope))),
    h('p', {}, `By ${principal.id} on ${clock(at)}: `, words(reason)),
    'opens' in stop ? h('p', { class: 'quiet' }, until[stop.opens]) : undefined,
  );
  return { element, update: () => undefined };
}

const until = {
  'at-settle': 'Shut until everybody in it is seen dead.',
  'on-release': 'Shut until somebody releases it.',
  never: 'Shut for good.',
};

import { call } from '../api.js';
import { clock, h, keyed } from '../dom.js';
import { nameOf } from '../latch.js';

const lookMs = 1_000;

/** Stops that are under way, and what is shut. @param {HTMLElement} main @param {AbortSignal} signal */
export async function showOrders(main, signal) {
  const open = h('ul', { class: 'cards' });
  const gates = h('ul', { class: 'cards' });
  const none = h('p', {}, 'Looking…');
  main.replaceChildren(h('h2', {}, 'Stops under way'), none, open, h('h2', {}, 'What is shut'), gates);
  while (!signal.aborted) {
    /** @type {import('../types.js').Status | undefined} */
    const status = await call('GET', '/status').catch(() => undefined);
    if (signal.aborted) return;
    if (status !== undefined) {
      none.textContent = status.openOrders.length === 0 ? 'None.' : '';
      keyed(
        open,
        status.openOrders,
        ({ orderId }) => orderId,
        (order) => card(order, order.requestedAt),
      );
      keyed(
        gates,
        status.gates,
        ({ orderId }) => orderId,
        (gate) => card(gate, gate.shutAt),
      );
    }
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}

/** @param {{ orderId: string, scope: import('../types.js').Scope, reason: string, principal: { id: string } }} stop @param {string} at */
function card({ orderId, scope, reason, principal }, at) {
  return h(
    'li',
    {},
    h('h3', {}, h('a', { href: `#/orders/${encodeURIComponent(orderId)}` }, nameOf(scope))),
    h('p', {}, `By ${principal.id} on ${clock(at)}: ${reason}`),
  );
}

import { showOrder } from './views/order.js';
import { showOrders } from './views/orders.js';
import { showRecord } from './views/record.js';
import { showRelease } from './views/release.js';
import { showTasks } from './views/tasks.js';

/** @typedef {(main: HTMLElement, me: import('./types.js').Me, signal: AbortSignal) => void} View */

/**
 * What an address shows, and below which of the links at the top. A view puts its heading there at once.
 *
 * @param {string} hash
 * @returns {{ view: View, place: string }}
 */
export function routeOf(hash) {
  const [, path = '/', query = ''] = /^#?([^?]*)\??(.*)$/.exec(hash) ?? [];
  const orderId = /^\/orders\/([^/]+)$/.exec(path)?.[1];
  if (orderId !== undefined)
    return {
      view: (main, _me, signal) =>
        showOrder(main, new URLSearchParams(`id=${orderId}`).get('id') ?? '', signal),
      place: '#/orders',
    };
  if (path === '/orders') return { view: showOrders, place: '#/orders' };
  if (path === '/record')
    return {
      view: (main, me, signal) => showRecord(main, me, new URLSearchParams(query), signal),
      place: '#/record',
    };
  if (path === '/release') return { view: showRelease, place: '' };
  return { view: showTasks, place: '#/' };
}

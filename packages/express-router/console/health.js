import { byId, h } from './dom.js';
import { options } from './options.js';

let answeredAt = new Date();

/**
 * Says in front of everything that the server is not there, and what to do without it.
 *
 * @param {string | undefined} fault
 */
export function showHealth(fault) {
  const place = byId('unreachable');
  if (fault === undefined) answeredAt = new Date();
  if ((place.dataset.fault ?? '') === (fault ?? '')) return;
  place.dataset.fault = fault ?? '';
  place.replaceChildren(...(fault === undefined ? [] : notice(fault)));
}

/** @param {string} fault */
function notice(fault) {
  const command = options.outOfBand;
  return [
    h(
      'p',
      {},
      h('strong', {}, fault),
      ` What is shown is from ${answeredAt.toLocaleTimeString()}. Stops that it has taken go on without this page.`,
    ),
    ...(command === undefined
      ? [h('p', {}, 'Stop the agents at their hosts if it stays like this.')]
      : [h('p', {}, 'To stop every agent without it, on each host:'), h('pre', { tabindex: '0' }, command)]),
  ];
}

/** In front of a dialog too, which covers the page and lets nothing on it be touched. @param {HTMLDialogElement} dialog */
export function healthIn(dialog) {
  const place = byId('unreachable');
  const next = byId('latch');
  dialog.prepend(place);
  dialog.addEventListener('close', () => next.before(place), { once: true });
}

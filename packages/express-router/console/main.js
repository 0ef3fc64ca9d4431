import { ApiError, call, onReachable, signOut } from './api.js';
import { emergencyDialog } from './dialogs.js';
import { byId, h } from './dom.js';
import { showLatch } from './latch.js';
import { options } from './options.js';
import { showOrder } from './views/order.js';
import { showOrders } from './views/orders.js';
import { showRecord } from './views/record.js';
import { showRelease } from './views/release.js';
import { showSignIn } from './views/sign-in.js';
import { showTasks } from './views/tasks.js';

/** How often everything is looked at again, in milliseconds. */
const lookMs = 1_000;

/** What is on the page now; given up when another view is shown. */
let shown = new AbortController();
/** @type {import('./types.js').Me | undefined} */
let me;

onReachable((reachable) => {
  const place = byId('unreachable');
  if (reachable === (place.childElementCount === 0)) return;
  place.replaceChildren(...(reachable ? [] : [outOfBand()]));
});

function outOfBand() {
  const command = options.outOfBand;
  return h(
    'div',
    {},
    h(
      'p',
      {},
      h('strong', {}, 'The server does not answer.'),
      ' What is shown here is out of date. Stops that it has taken go on without this page.',
    ),
    ...(command === undefined
      ? [h('p', {}, 'Stop the agents at their hosts if it stays like this.')]
      : [h('p', {}, 'To stop every agent without it, on each host:'), h('pre', { tabindex: '0' }, command)]),
  );
}

/** @param {string} route @param {AbortSignal} signal @returns {Promise<void>} */
async function view(route, signal) {
  const main = byId('main');
  if (me === undefined) return;
  const order = /^#\/orders\/([^/]+)$/.exec(route)?.[1];
  if (order !== undefined) return showOrder(main, decodeURIComponent(order), signal);
  if (route === '#/orders') return showOrders(main, signal);
  if (route === '#/record') return showRecord(main, signal);
  if (route === '#/release') return showRelease(main, me, signal);
  return showTasks(main, me, signal);
}

/** Shows what the address says. */
function show() {
  shown.abort();
  shown = new AbortController();
  const { signal } = shown;
  const route = location.hash || '#/';
  for (const link of document.querySelectorAll('nav a')) {
    const isHere = link.getAttribute('href') === (route.startsWith('#/orders') ? '#/orders' : route);
    if (isHere) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  // Whoever followed a link goes on reading at what it led to.
  if (document.activeElement === document.body) byId('main').focus();
  void view(route, signal);
}

/** Finds out who is here; whoever is not known is asked for a token. */
async function enter() {
  try {
    me = await call('GET', '/me');
  } catch (error) {
    if (!(error instanceof ApiError) || error.status === 0) {
      setTimeout(enter, lookMs);
      return;
    }
    signOut();
    me = undefined;
    byId('views').hidden = true;
    byId('emergency').hidden = true;
    showSignIn(byId('main'), enter, error.status === 401 ? undefined : error.message);
    return;
  }
  byId('views').hidden = false;
  byId('who').textContent = me === undefined ? '' : `${me.principal.id} (${me.principal.kind})`;
  byId('emergency').hidden = !me?.may.emergencyStop;
  show();
  void lookAgain();
}

let looking = false;

/** The latch is seen on every page. */
async function lookAgain() {
  if (looking) return;
  looking = true;
  while (me !== undefined) {
    const status = await call('GET', '/status').catch(() => undefined);
    if (status !== undefined && me !== undefined) showLatch(byId('latch'), status, me);
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
  looking = false;
}

addEventListener('hashchange', show);
byId('emergency').addEventListener('click', () => emergencyDialog());
void enter();

import { signOut } from './api.js';
import { emergencyDialog } from './dialogs.js';
import { byId } from './dom.js';
import { showHealth } from './health.js';
import { beat } from './heartbeat.js';
import { forgetKilled, heedStatus } from './killed-tasks.js';
import { showDoubt, showLatch } from './latch.js';
import { routeOf } from './routes.js';
import { followStatus, onStatus } from './status.js';
import { showSignIn } from './views/sign-in.js';

/** What is on the page now, and who looks at it; given up when that is another. */
let shown = new AbortController();
let session = new AbortController();
/** @type {import('./types.js').Me | undefined} */
let me;

/** Shows what the address says. @param {boolean} isMove whether somebody went there, and goes on reading at its heading */
function show(isMove) {
  shown.abort();
  shown = new AbortController();
  if (me === undefined) return;
  const { view, place } = routeOf(location.hash);
  for (const link of document.querySelectorAll('nav a')) {
    if (link.getAttribute('href') === place) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  const main = byId('main');
  void view(main, me, shown.signal);
  const heading = main.querySelector('h2');
  document.title = `${heading?.textContent ?? ''} · Killswitch`;
  if (!isMove) return;
  heading?.setAttribute('tabindex', '-1');
  heading?.focus();
  scrollTo(0, 0);
}

/** @param {import('./types.js').Me} known */
function welcome(known) {
  if (JSON.stringify(known) === JSON.stringify(me)) return;
  const isNew = me === undefined;
  me = known;
  byId('views').hidden = false;
  byId('who').textContent = `${known.principal.id} (${known.principal.kind})`;
  byId('emergency').hidden = !known.may.emergencyStop;
  session.abort();
  session = new AbortController();
  onStatus(heedStatus, session.signal);
  onStatus((status) => showLatch(byId('latch'), status, known), session.signal);
  void followStatus((fault) => showDoubt(byId('doubt'), fault), session.signal);
  show(isNew && byId('main').contains(document.activeElement));
}

/** @param {string} why */
function askWho(why) {
  session.abort();
  shown.abort();
  me = undefined;
  forgetKilled();
  for (const id of ['views', 'emergency']) byId(id).hidden = true;
  for (const id of ['who', 'latch', 'doubt']) byId(id).replaceChildren();
  delete byId('latch').dataset.facts;
  for (const dialog of document.querySelectorAll('dialog')) dialog.close();
  const wasKnown = signOut();
  document.title = 'Killswitch';
  showSignIn(byId('main'), enter, wasKnown ? why : undefined);
}

/** Finds out who is here; whoever is not known is asked for a token. */
function enter() {
  void beat({ known: welcome, stranger: askWho, health: showHealth });
}

document.querySelector('.skip')?.addEventListener('click', (event) => {
  // Its address would be that of a view.
  event.preventDefault();
  byId('main').focus();
});
addEventListener('hashchange', () => show(true));
byId('emergency').addEventListener('click', () => emergencyDialog());
enter();

import { ApiError, call, isSilence } from '../api.js';
import { announce, clock, count, h, messageOf, words } from '../dom.js';
import { listen } from '../events.js';
import { keyed } from '../keyed.js';
import { heedStop } from '../killed-tasks.js';
import { nameWithin } from '../latch.js';
import { pause } from '../pace.js';
import { agentRow, isUnconfirmed, timelineTable } from './timeline.js';

/** What is told is shown this often at most, in milliseconds. */
const showMs = 150;
const againMs = 1_000;
/** So many agents have a row, those who are not confirmed dead first; and so many of these are named above all. */
const mostRows = 500;
const mostNamed = 20;

/**
 * How a stop goes, step by step and agent by agent, live; who is not confirmed dead is named in front.
 *
 * @param {HTMLElement} main
 * @param {string} orderId
 * @param {AbortSignal} signal
 */
export async function showOrder(main, orderId, signal) {
  const title = h('h2', {}, 'Stop');
  const facts = h('p', {}, 'Looking…');
  const doubt = h('p', { class: 'fault', role: 'alert' });
  const summary = h('p', { class: 'summary' });
  const bar = h('progress', { 'aria-label': 'Observed dead', value: '0', max: '1' });
  const named = h('section', { class: 'alarm', 'aria-label': 'Not confirmed dead', hidden: true });
  const errors = h('ul', { class: 'errors' });
  const { table, rows } = timelineTable();
  const record = h('a', { href: `#/record?orderId=${encodeURIComponent(orderId)}` }, 'On record');
  main.replaceChildren(title, facts, doubt, named, summary, bar, table, errors, h('p', {}, record));
  void introduce(orderId, { title, facts, doubt }, signal);

  /** @type {Map<string, import('./timeline.js').Row>} */
  const agents = new Map();
  let asked = 0;
  let settled = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;
  const show = () => {
    waiting = undefined;
    if (signal.aborted || asked === 0) return;
    const all = [...agents.values()];
    const dead = all.filter(({ at }) => at.confirmed !== undefined).length;
    const late = all.filter(isUnconfirmed);
    bar.max = Math.max(1, all.length);
    bar.value = settled && all.length === 0 ? 1 : dead;
    summary.textContent = settled
      ? `Settled: ${dead} of ${all.length} observed dead.`
      : `${dead} of ${all.length} observed dead, ${all.length - dead} to go.`;
    bar.className = settled ? 'settled' : '';
    nameThem(named, late);
    if (settled || dead === all.length || late.length > 0)
      announce(`${late.length > 0 ? `${late.length} not confirmed dead. ` : ''}${summary.textContent}`);
    const endAt = all.reduce((end, { at }) => Math.max(end, ...Object.values(at)), asked + 100);
    const shown = all.sort((a, b) => rank(a) - rank(b) || slowness(b) - slowness(a)).slice(0, mostRows);
    keyed(
      rows,
      shown.map((row) => ({ ...row, asked, endAt })),
      ({ agentId }) => agentId,
      agentRow,
    );
  };
  await listen(
    orderId,
    (event, data) => {
      const at = Date.parse(data.at);
      if (event === 'placed') asked = at;
      else if (event === 'settled') {
        settled = true;
        errors.replaceChildren(
          ...(data.errors ?? []).map((/** @type {string} */ error) => h('li', {}, error)),
        );
      } else {
        const { agentId, taskId } = data;
        /** @type {import('./timeline.js').Row} */
        const row = agents.get(agentId) ?? { agentId, taskId, at: {}, evidence: '' };
        row.at[/** @type {import('./timeline.js').Step} */ (event)] = at;
        if (data.evidence !== undefined) row.evidence = data.evidence;
        agents.set(agentId, row);
      }
      waiting ??= setTimeout(show, showMs);
    },
    signal,
  );
  clearTimeout(waiting);
  show();
}

/**
 * Says what is stopped, by whom, when and why; and as long as it is not stored, that too.
 *
 * @param {string} orderId
 * @param {{ title: HTMLElement, facts: HTMLElement, doubt: HTMLElement }} places
 * @param {AbortSignal} signal
 */
async function introduce(orderId, { title, facts, doubt }, signal) {
  while (!signal.aborted) {
    try {
      const order = await call('GET', `/orders/${encodeURIComponent(orderId)}`);
      if (signal.aborted) return;
      const heading = `Stop of ${nameWithin(order.scope)}`;
      title.textContent = heading;
      document.title = `${heading} · Killswitch`;
      const who = order.principal === undefined ? '' : `By ${order.principal.id}, `;
      facts.replaceChildren(`${who}${clock(order.requestedAt)}: `, words(order.reason));
      if (order.principal !== undefined) heedStop({ ...order, at: order.requestedAt });
      doubt.textContent = order.stored ? '' : 'Not stored yet: it holds only as long as the service lives.';
      if (order.stored) return;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) {
        facts.textContent = 'There is no such stop, or it is not yours to see.';
        return;
      }
      if (!isSilence(error)) facts.textContent = messageOf(error);
    }
    await pause(againMs);
  }
}

/** @param {HTMLElement} place @param {readonly import('./timeline.js').Row[]} late */
function nameThem(place, late) {
  place.hidden = late.length === 0;
  const more = late.length - mostNamed;
  place.replaceChildren(
    h('h3', {}, `${count(late.length, 'agent')} NOT CONFIRMED DEAD`),
    h('p', {}, 'Nobody has seen them die. The kill goes on, and they are looked at again and again.'),
    h(
      'ul',
      {},
      ...late
        .slice(0, mostNamed)
        .map(({ agentId, taskId, evidence }) =>
          h(
            'li',
            {},
            h('strong', {}, agentId),
            ` of task ${taskId}${evidence === '' ? '' : `: ${evidence}`}`,
          ),
        ),
    ),
    ...(more > 0 ? [h('p', {}, `and ${more} more, below.`)] : []),
  );
}

/** Of the dead, who was the hardest to kill. @param {import('./timeline.js').Row} row */
function slowness({ at }) {
  return at.confirmed ?? 0;
}

/** @param {import('./timeline.js').Row} row */
function rank(row) {
  return isUnconfirmed(row) ? 0 : row.at.confirmed === undefined ? 1 : 2;
}

import { call, listen } from '../api.js';
import { announce } from '../dialogs.js';
import { clock, h, keyed } from '../dom.js';
import { nameOf } from '../latch.js';

/** What is told is shown this often at most, in milliseconds. */
const showMs = 150;
const steps = /** @type {const} */ (['requested', 'signalled', 'forced', 'confirmed']);
/** So many agents have a row, those who are not confirmed dead first. */
const mostRows = 500;

/**
 * How a stop goes, step by step and agent by agent, live.
 *
 * @param {HTMLElement} main
 * @param {string} orderId
 * @param {AbortSignal} signal
 */
export async function showOrder(main, orderId, signal) {
  const title = h('h2', {}, 'Stop');
  const facts = h('p', {});
  const bar = h('progress', { 'aria-label': 'Observed dead', value: '0', max: '1' });
  const summary = h('p', {}, 'Looking…');
  const rows = h('tbody', {});
  const table = h(
    'div',
    { class: 'table', tabindex: '0', role: 'region', 'aria-label': 'Agents' },
    h(
      'table',
      {},
      h('caption', {}, 'Agents, those not confirmed dead first. Times since the request.'),
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          ...['Agent', 'Task', ...steps, 'Evidence'].map((word) => h('th', { scope: 'col' }, word)),
        ),
      ),
      rows,
    ),
  );
  main.replaceChildren(title, facts, summary, bar, table);
  try {
    const order = await call('GET', `/orders/${encodeURIComponent(orderId)}`);
    if (signal.aborted) return;
    title.textContent = `Stop of ${nameOf(order.scope).toLowerCase()}`;
    facts.textContent = `${order.reason} · ${clock(order.requestedAt)}${order.stored ? '' : ' · NOT STORED YET: it holds only as long as the service lives'}`;
  } catch (error) {
    summary.textContent = error instanceof Error ? error.message : String(error);
    return;
  }
  /** @type {Map<string, Row>} */
  const agents = new Map();
  let settled = false;
  let asked = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;
  const show = () => {
    waiting = undefined;
    if (signal.aborted) return;
    const all = [...agents.values()].sort((a, b) => rank(a) - rank(b));
    const dead = all.filter(({ at }) => at.confirmed !== undefined).length;
    const named = all.filter(isUnconfirmed).length;
    bar.max = Math.max(1, all.length);
    bar.value = settled && all.length === 0 ? 1 : dead;
    const left = all.length - dead;
    summary.textContent = settled
      ? `Settled: ${dead} of ${all.length} observed dead.`
      : `${dead} of ${all.length} observed dead, ${left} to go.${named > 0 ? ` ${named} NOT CONFIRMED DEAD; the kill goes on.` : ''}`;
    if (settled || left === 0 || named > 0) announce(summary.textContent);
    keyed(rows, all.slice(0, mostRows), ({ agentId }) => agentId, showAgent);
  };
  await listen(
    `/orders/${encodeURIComponent(orderId)}/events`,
    (event, data) => {
      if (event === 'placed') asked = Date.parse(data.at);
      else if (event === 'settled') settled = true;
      else {
        /** @type {Row} */
        const row = agents.get(data.agentId) ?? {
          agentId: data.agentId,
          taskId: data.taskId,
          asked,
          at: {},
          evidence: '',
        };
        row.at[/** @type {Step} */ (event)] = Date.parse(data.at);
        if (data.evidence !== undefined) row.evidence = data.evidence;
        agents.set(data.agentId, row);
      }
      waiting ??= setTimeout(show, showMs);
    },
    signal,
  );
  clearTimeout(waiting);
  show();
}

/** @typedef {typeof steps[number] | 'unconfirmed'} Step */
/** @typedef {{ agentId: string, taskId: string, asked: number, at: Partial<Record<Step, number>>, evidence: string }} Row */

/** @param {Row} row */
function isUnconfirmed({ at }) {
  return at.unconfirmed !== undefined && at.confirmed === undefined;
}

/** @param {Row} row */
function rank(row) {
  return isUnconfirmed(row) ? 0 : row.at.confirmed === undefined ? 1 : 2;
}

/** @param {Row} row */
function showAgent(row) {
  const { agentId, taskId, asked, at, evidence } = row;
  const late = isUnconfirmed(row);
  return h(
    'tr',
    { class: late ? 'unconfirmed' : undefined },
    h('th', { scope: 'row', class: late ? 'unconfirmed' : undefined }, agentId),
    h('td', {}, taskId),
    ...steps.map((step) => {
      const time = at[step];
      if (time !== undefined) return h('td', { class: step }, `+${time - asked} ms`);
      return step === 'confirmed' && late
        ? h('td', { class: 'unconfirmed' }, 'NOT CONFIRMED DEAD')
        : h('td', {}, '–');
    }),
    h('td', {}, evidence),
  );
}

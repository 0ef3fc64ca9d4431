import { call } from '../api.js';
import { clock, h, messageOf, words } from '../dom.js';
import { nameOf, orderPage } from '../latch.js';
import { canVerify, verify } from './verify.js';

const pageSize = '100';
const kinds = [
  ['', 'Everything'],
  ['order.requested,order.joined,order.settled', 'Stops'],
  ['agent.killed', 'Agents seen dead'],
  ['agent.unconfirmed', 'Agents not confirmed dead'],
  ['request.denied', 'Denials'],
  ['release.requested,gate.released', 'Releases'],
  ['cleanup.finished', 'Cleanup'],
];

/**
 * The audit record, oldest first, by what is asked for.
 *
 * @param {HTMLElement} main
 * @param {import('../types.js').Me} me
 * @param {URLSearchParams} asked what the fields hold at first
 * @param {AbortSignal} signal
 */
export function showRecord(main, me, asked, signal) {
  const rows = h('tbody', {});
  const said = h('p', { role: 'status' });
  const more = h('button', { type: 'button', hidden: true }, 'More');
  /** @type {URLSearchParams} */
  let query = new URLSearchParams();
  const look = async () => {
    const wanted = query;
    said.textContent = 'Looking…';
    try {
      const { records, cursor } = await call('GET', `/audit?${wanted}`);
      if (signal.aborted || wanted !== query) return;
      rows.append(...records.map(eventRow));
      markBad();
      said.textContent = rows.childElementCount === 0 ? 'Nothing on record.' : '';
      more.hidden = cursor === undefined;
      if (cursor !== undefined) query.set('cursor', cursor);
    } catch (error) {
      if (wanted === query) said.textContent = messageOf(error);
    }
  };
  more.addEventListener('click', look);
  const ask = (/** @type {Event} */ event) => {
    event.preventDefault();
    query = new URLSearchParams({ limit: pageSize });
    for (const [name, value] of new FormData(form)) {
      const text = String(value).trim();
      if (text !== '') query.set(name, times.has(name) ? new Date(text).toISOString() : text);
    }
    rows.replaceChildren();
    more.hidden = true;
    void look();
  };
  const form = h('form', { onsubmit: ask, class: 'filters' }, ...fields(me, asked), h('button', {}, 'Look'));
  const verdict = h('div', { role: 'status', class: 'verdict' });
  /** @type {{ partition: string, seq: number } | undefined} */
  let bad;
  const markBad = () => {
    for (const row of rows.children)
      row.classList.toggle('bad', bad !== undefined && row.getAttribute('data-place') === placeOf(bad));
  };
  const check = async () => {
    button.disabled = true;
    bad = await verify(String(new FormData(form).get('workspaceId') ?? '').trim(), verdict, signal);
    markBad();
    button.disabled = false;
  };
  const button = h('button', { type: 'button', hidden: true, onclick: check }, 'Verify the record');
  form.append(button);
  main.replaceChildren(h('h2', {}, 'Audit record'), form, verdict, said, tableOf(rows), more);
  if (maySeeAll(me)) void canVerify().then((can) => (button.hidden = !can));
  if (maySeeAll(me) || asked.size > 0) form.requestSubmit();
  else said.textContent = 'Name a task or a stop of your own.';
}

/** @param {import('../types.js').Me} me @param {URLSearchParams} asked */
function fields(me, asked) {
  const field = (/** @type {string} */ name, /** @type {string} */ label, value = asked.get(name) ?? '') =>
    h('label', {}, label, h('input', { name, value, autocomplete: 'off' }));
  const own = me.may.workspaces.filter(({ killAll }) => killAll);
  const workspace = !me.may.emergencyStop && own.length > 1 ? own[0]?.workspaceId : undefined;
  const kind = h(
    'select',
    { name: 'type' },
    ...kinds.map(([value, text = '']) => h('option', { value, selected: value === asked.get('type') }, text)),
  );
  // The record may be long, and begins with the oldest: unless something else is asked for, a day of it is.
  const since = asked.size === 0 ? here(Date.now() - dayMs) : '';
  return [
    field('taskId', 'Task'),
    field('orderId', 'Stop'),
    field('principalId', 'Person'),
    ...(maySeeAll(me) ? [field('workspaceId', 'Workspace', asked.get('workspaceId') ?? workspace)] : []),
    h('label', {}, 'Kind', kind),
    h('label', {}, 'From', h('input', { type: 'datetime-local', name: 'from', value: since })),
    h('label', {}, 'Until', h('input', { type: 'datetime-local', name: 'until' })),
  ];
}

/** What the fields of a time are called: they hold it as it is here, and it is asked for as it is everywhere. */
const times = new Set(['from', 'until']);
const dayMs = 24 * 3_600_000;

/** A time as such a field holds it. @param {number} at milliseconds since the Unix epoch */
function here(at) {
  return new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** Whoever administers nothing reads of their own tasks only. @param {import('../types.js').Me} me */
function maySeeAll({ may }) {
  return may.emergencyStop || may.workspaces.some(({ killAll }) => killAll);
}

/** @param {HTMLElement} rows */
function tableOf(rows) {
  const columns = ['When', 'What', 'Who', 'About', 'Details'];
  return h(
    'div',
    { class: 'table', tabindex: '0', role: 'region', 'aria-label': 'Records' },
    h(
      'table',
      {},
      h('caption', {}, 'Oldest first'),
      h('thead', {}, h('tr', {}, ...columns.map((word) => h('th', { scope: 'col' }, word)))),
      rows,
    ),
  );
}

/** Where a record stands, if that may be known. @param {{ partition?: string, seq?: number }} record */
function placeOf({ partition, seq }) {
  return seq === undefined ? '' : `${seq} ${partition}`;
}

/** @param {{ partition?: string, seq?: number, event: Record<string, any> }} record */
function eventRow({ event, ...place }) {
  const about = event.agentId ?? (event.scope === undefined ? event.orderId : nameOf(event.scope));
  const { reason, denial, evidence, step, status, error } = event;
  const details = [reason, denial, evidence, step, status, error].filter((each) => typeof each === 'string');
  return h(
    'tr',
    { 'data-place': placeOf(place) },
    h('td', {}, clock(event.time)),
    h('th', { scope: 'row' }, event.type),
    h('td', {}, event.principal?.id ?? ''),
    h(
      'td',
      {},
      event.orderId === undefined ? (about ?? '') : h('a', { href: orderPage(event.orderId) }, about ?? ''),
    ),
    h('td', {}, words(details.join(' · '))),
  );
}

import { call } from '../api.js';
import { clock, h } from '../dom.js';
import { nameOf } from '../latch.js';

const pageSize = 100;
const filters = [
  ['taskId', 'Task'],
  ['orderId', 'Stop'],
  ['principalId', 'Person'],
  ['workspaceId', 'Workspace'],
];

/** The audit record, oldest first, by what is asked for. @param {HTMLElement} main @param {AbortSignal} signal */
export async function showRecord(main, signal) {
  const rows = h('tbody', {});
  const said = h('p', { role: 'status' });
  const more = h('button', { type: 'button', hidden: true }, 'More');
  const fields = filters.map(([name = '', label = '']) =>
    h('label', {}, label, h('input', { name, autocomplete: 'off' })),
  );
  /** @type {URLSearchParams} */
  let query = new URLSearchParams();
  const look = async () => {
    said.textContent = 'Looking…';
    try {
      const { records, cursor } = await call('GET', `/audit?${query}`);
      if (signal.aborted) return;
      rows.append(...records.map(showEvent));
      said.textContent = rows.childElementCount === 0 ? 'Nothing on record.' : '';
      more.hidden = cursor === undefined;
      if (cursor !== undefined) query.set('cursor', cursor);
    } catch (error) {
      said.textContent = error instanceof Error ? error.message : String(error);
    }
  };
  more.addEventListener('click', look);
  const ask = (/** @type {Event} */ event) => {
    event.preventDefault();
    query = new URLSearchParams({ limit: String(pageSize) });
    for (const field of form.querySelectorAll('input'))
      if (field.value.trim() !== '') query.set(field.name, field.value.trim());
    rows.replaceChildren();
    void look();
  };
  const form = h('form', { onsubmit: ask, class: 'filters' }, ...fields, h('button', {}, 'Look'));
  main.replaceChildren(
    h('h2', {}, 'Audit record'),
    form,
    said,
    h(
      'div',
      { class: 'table', tabindex: '0', role: 'region', 'aria-label': 'Records' },
      h(
        'table',
        {},
        h('caption', {}, 'Oldest first'),
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            ...['When', 'What', 'Who', 'About', 'Details'].map((word) => h('th', { scope: 'col' }, word)),
          ),
        ),
        rows,
      ),
    ),
    more,
  );
  form.requestSubmit();
}

/** @param {{ event: Record<string, any> }} record */
function showEvent({ event }) {
  const about = event.agentId ?? (event.scope === undefined ? event.orderId : nameOf(event.scope));
  const details = [event.reason, event.outcome, event.denial, event.evidence, event.error].filter(
    (each) => typeof each === 'string',
  );
  return h(
    'tr',
    {},
    h('td', {}, clock(event.time)),
    h('th', { scope: 'row' }, event.type),
    h('td', {}, event.principal?.id ?? ''),
    h('td', {}, about ?? ''),
    h('td', {}, details.join(' · ')),
  );
}

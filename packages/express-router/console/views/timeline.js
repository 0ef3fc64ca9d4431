import { h, svg } from '../dom.js';

/** What is done to an agent, in the order in which it is done. */
const steps = /** @type {const} */ (['requested', 'signalled', 'forced', 'confirmed']);

/** @typedef {typeof steps[number] | 'unconfirmed'} Step */
/** @typedef {{ agentId: string, taskId: string, at: Partial<Record<Step, number>>, evidence: string }} Row times in milliseconds since the Unix epoch */
/** @typedef {Row & { asked: number, endAt: number }} ShownRow when the stop was asked for, and the last step of all its agents */

/** The table of a stop's agents, without rows. */
export function timelineTable() {
  const rows = h('tbody', {});
  const table = h(
    'div',
    { class: 'table', tabindex: '0', role: 'region', 'aria-label': 'Agents' },
    h(
      'table',
      { class: 'timeline' },
      h('caption', {}, 'Agents, those not confirmed dead first. Times since the stop was asked for.'),
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          ...['Agent', 'Timeline'].map((word) => h('th', { scope: 'col', class: 'plain' }, word)),
          ...steps.map((step) => h('th', { scope: 'col', class: step }, step)),
          h('th', { scope: 'col', class: 'plain' }, 'Evidence'),
        ),
      ),
      rows,
    ),
  );
  return { table, rows };
}

/** @param {Row} row */
export function isUnconfirmed({ at }) {
  return at.unconfirmed !== undefined && at.confirmed === undefined;
}

/** One agent's row. @returns {import('../keyed.js').Part<ShownRow>} */
export function agentRow() {
  const element = h('tr', {});
  return {
    element,
    update(row) {
      const { agentId, taskId, asked, at, evidence } = row;
      const late = isUnconfirmed(row);
      element.className = late ? 'unconfirmed' : '';
      element.replaceChildren(
        h('th', { scope: 'row' }, h('code', {}, agentId), h('span', { class: 'quiet' }, taskId)),
        h('td', {}, track(row)),
        ...steps.map((step) => {
          const time = at[step];
          if (time !== undefined) return h('td', { class: step }, since(time - asked));
          return step === 'confirmed' && late
            ? h('td', { class: 'unconfirmed' }, 'NOT CONFIRMED DEAD')
            : h('td', {}, '–');
        }),
        h('td', {}, evidence),
      );
    },
  };
}

/** An agent may have been under an earlier stop already. @param {number} ms */
function since(ms) {
  if (ms < 0) return 'before';
  return ms < 10_000 ? `+${ms} ms` : `+${(ms / 1_000).toFixed(1)} s`;
}

/** The steps as points on a line, from the request to the last step of all agents. The words beside it say the same. @param {ShownRow} row */
function track({ asked, at, endAt }) {
  const width = 200;
  const x = (/** @type {number} */ time) =>
    (8 + (Math.max(0, time - asked) / (endAt - asked)) * (width - 16)).toFixed(1);
  const last = at.confirmed ?? endAt;
  const line = svg('line', {
    ...{ x1: x(at.requested ?? asked), x2: x(last), y1: '10', y2: '10' },
    class: at.confirmed === undefined ? 'alive' : '',
  });
  const points = [...steps, /** @type {const} */ ('unconfirmed')].flatMap((step) => {
    const time = at[step];
    if (time === undefined || (step === 'unconfirmed' && at.confirmed !== undefined)) return [];
    return [svg('circle', { class: step, cx: x(time), cy: '10', r: step === 'confirmed' ? '7' : '5' })];
  });
  return svg('svg', { viewBox: `0 0 ${width} 20`, 'aria-hidden': 'true', class: 'track' }, line, ...points);
}

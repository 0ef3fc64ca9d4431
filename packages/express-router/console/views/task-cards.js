import { stopDialog } from '../dialogs.js';
import { clock, count, h, words } from '../dom.js';
import { keyed } from '../keyed.js';
import { maySee, nameWithin, orderPage } from '../latch.js';

/** So many agents of a task are listed, and so many without being asked for. */
const mostAgents = 100;
const fewAgents = 3;
const namesOf = { spawning: 'starting', running: 'running', killing: 'being killed' };

/** A task with its live agents. @param {import('./tasks.js').Task} task @returns {import('../keyed.js').Part<import('./tasks.js').Task>} */
export function taskCard({ taskId, workspaceId, ownerId, agents: first }) {
  const kill = () =>
    stopDialog({
      title: `Kill task ${taskId}`,
      method: 'POST',
      path: `/tasks/${encodeURIComponent(taskId)}/kill`,
      act: `Kill ${taskId}`,
      warning: 'It never starts again.',
    });
  const button = h(
    'button',
    { class: 'danger one', type: 'button', onclick: kill, 'aria-label': `Kill task ${taskId}…` },
    'Kill…',
  );
  const state = h('span', {});
  const link = h('a', { hidden: true }, 'Being killed: see how it goes');
  const summary = h('summary', {});
  const list = h('ul', { class: 'agents' });
  const rest = h('p', { class: 'quiet' });
  const element = h(
    'li',
    {},
    h(
      'div',
      { class: 'row' },
      h(
        'div',
        {},
        h('h3', {}, taskId),
        h('p', { class: 'quiet' }, `${workspaceId} · ${ownerId} · `, state),
        link,
      ),
      button,
    ),
    h('details', { open: first.length <= fewAgents }, summary, list, rest),
  );
  return {
    element,
    update({ agents, mayKill }) {
      const orderId = agents.find(({ orderIds }) => orderIds !== undefined)?.orderIds?.[0];
      const isKilled = agents.every(({ status }) => status === 'killing');
      element.className = isKilled ? 'killing' : '';
      // Whoever stands on the button is not thrown off before everybody in the task is being killed.
      button.hidden = !mayKill;
      state.textContent = stateOf(agents);
      link.hidden = orderId === undefined;
      if (orderId !== undefined) link.href = orderPage(orderId);
      summary.textContent = count(agents.length, 'agent');
      keyed(list, agents.slice(0, mostAgents), ({ agentId }) => agentId, agentLine);
      rest.textContent = agents.length > mostAgents ? `and ${agents.length - mostAgents} more` : '';
    },
  };
}

/** @param {readonly import('../types.js').Agent[]} agents */
function stateOf(agents) {
  const counts = new Map();
  for (const { status } of agents) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts]
    .map(([status, n]) => `${n} ${namesOf[/** @type {keyof namesOf} */ (status)]}`)
    .join(', ');
}

/** @param {string} time RFC 3339 */
function moment(time) {
  const at = new Date(time);
  return at.toDateString() === new Date().toDateString() ? at.toLocaleTimeString() : clock(time);
}

/** @returns {import('../keyed.js').Part<import('../types.js').Agent>} */
function agentLine() {
  const element = h('li', {});
  return {
    element,
    update({ agentId, agentType, backendId, status, spawnedAt }) {
      element.className = status;
      const facts = [agentType, backendId, `since ${moment(spawnedAt)}`].filter((each) => each !== undefined);
      element.replaceChildren(
        h('code', {}, agentId),
        ' ',
        h('span', { class: 'state' }, namesOf[status]),
        h('span', { class: 'quiet' }, ` · ${facts.join(' · ')}`),
      );
    },
  };
}

/** A task that was killed. @param {import('../types.js').Me} me @returns {import('../keyed.js').Part<import('../killed-tasks.js').KilledTask>} */
export function killedCard(me) {
  const element = h('li', { class: 'killed' });
  return {
    element,
    update({ taskId, orderId, by, at, reason, scope }) {
      const after = 'task' in scope ? 'It never starts again.' : `Under the stop of ${nameWithin(scope)}.`;
      element.replaceChildren(
        h('h3', {}, h('span', { class: 'mark' }, 'KILLED'), ' ', h('s', {}, taskId)),
        h('p', {}, `By ${by} on ${clock(at)}: `, words(reason)),
        h('p', { class: 'quiet' }, after),
        ...(maySee(scope, me) ? [h('a', { href: orderPage(orderId) }, 'What became of its agents')] : []),
      );
    },
  };
}

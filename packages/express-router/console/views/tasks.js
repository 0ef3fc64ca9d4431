import { call } from '../api.js';
import { stopDialog } from '../dialogs.js';
import { count, h, messageOf } from '../dom.js';
import { keyed } from '../keyed.js';
import { findKilled, killedTasks } from '../killed-tasks.js';
import { options } from '../options.js';
import { lookAgain } from '../pace.js';
import { killedCard, taskCard } from './task-cards.js';

const pageSize = 1_000;
/** So many are shown; who has more looks for one. */
const mostShown = 200;

/**
 * The tasks that have live agents, and those that were killed.
 *
 * @param {HTMLElement} main
 * @param {import('../types.js').Me} me
 * @param {AbortSignal} signal
 */
export async function showTasks(main, me, signal) {
  const summary = h('p', { class: 'summary' }, 'Looking…');
  const find = h('input', { type: 'search', name: 'find', autocomplete: 'off' });
  const fault = h('p', { class: 'fault', role: 'alert' });
  const live = h('ul', { class: 'cards' });
  const more = h('p', { class: 'quiet' });
  const dead = h('ul', { class: 'cards' });
  const none = h('p', { class: 'quiet' });
  const admin = me.may.workspaces.filter(({ killAll }) => killAll).map(killAllButton);
  const demo = (options.demo ?? []).map((each) => demoButton(each, fault));
  const tryIt = h('section', { 'aria-labelledby': 'demo', hidden: demo.length === 0 });
  tryIt.append(h('h2', { id: 'demo' }, 'Try it'), h('div', { class: 'row' }, ...demo));
  main.replaceChildren(
    h(
      'div',
      { class: 'columns' },
      h(
        'div',
        {},
        h('h2', {}, 'Tasks'),
        summary,
        h('div', { class: 'row tools' }, h('label', {}, 'Find a task, workspace or owner', find), ...admin),
        fault,
        live,
        more,
        tryIt,
      ),
      h('section', { 'aria-labelledby': 'killed' }, h('h2', { id: 'killed' }, 'Killed tasks'), none, dead),
    ),
  );
  /** @type {Task[]} */
  let tasks = [];
  const show = () => {
    const isWanted = wantedBy(find.value);
    const found = tasks.filter(isWanted);
    const isLive = new Set(tasks.map(({ taskId }) => taskId));
    const over = killedTasks().filter((task) => !isLive.has(task.taskId) && isWanted(task));
    keyed(live, found.slice(0, mostShown), ({ taskId }) => taskId, taskCard);
    keyed(
      dead,
      over.slice(0, mostShown),
      ({ taskId }) => taskId,
      () => killedCard(me),
    );
    more.textContent =
      found.length > mostShown
        ? `${mostShown} of ${found.length} tasks are shown: find the others by name.`
        : found.length === 0
          ? tasks.length === 0
            ? 'No agent is alive.'
            : 'No live task is called so.'
          : '';
    none.textContent = over.length === 0 ? 'None.' : '';
  };
  find.addEventListener('input', show);
  const look = async () => {
    try {
      const agents = await agentsOf(me);
      if (signal.aborted) return;
      const before = tasks;
      tasks = tasksOf(agents);
      // Not waited for: what is alive is shown however long it takes to find out what is dead.
      void findKilled(missing(before, tasks)).then(() => signal.aborted || show());
      summary.textContent = `${count(agents.length, 'live agent')} of ${count(tasks.length, 'task')}`;
      fault.textContent = '';
      show();
    } catch (error) {
      fault.textContent = `Who is alive cannot be seen now: ${messageOf(error)}`;
    }
  };
  await lookAgain(look, signal);
}

/** @typedef {{ taskId: string, workspaceId: string, ownerId: string, mayKill: boolean, agents: import('../types.js').Agent[] }} Task */

/** @param {import('../types.js').Me} me @returns {Promise<import('../types.js').Agent[]>} */
async function agentsOf({ may }) {
  const agents = [];
  for (const workspaceId of may.emergencyStop
    ? [undefined]
    : may.workspaces.map((each) => each.workspaceId)) {
    let cursor;
    do {
      const query = new URLSearchParams({
        limit: String(pageSize),
        ...(workspaceId ? { workspaceId } : {}),
        ...(cursor ? { cursor } : {}),
      });
      const page = await call('GET', `/agents?${query}`);
      agents.push(...page.agents);
      cursor = page.cursor;
    } while (cursor !== undefined);
  }
  return agents;
}

/** @param {readonly import('../types.js').Agent[]} agents */
function tasksOf(agents) {
  /** @type {Map<string, Task>} */
  const tasks = new Map();
  for (const agent of agents) {
    const { taskId, workspaceId, ownerId, mayKill } = agent;
    const task = tasks.get(taskId) ?? { taskId, workspaceId, ownerId, mayKill, agents: [] };
    task.agents.push(agent);
    tasks.set(taskId, task);
  }
  return [...tasks.values()].sort((a, b) => a.taskId.localeCompare(b.taskId));
}

/** Those that were live a moment ago. @param {readonly Task[]} before @param {readonly Task[]} now */
function missing(before, now) {
  const live = new Set(now.map(({ taskId }) => taskId));
  return before.map(({ taskId }) => taskId).filter((taskId) => !live.has(taskId));
}

/** @param {string} text @returns {(task: { taskId: string, workspaceId?: string, ownerId?: string }) => boolean} */
function wantedBy(text) {
  const wanted = text.trim().toLowerCase();
  return ({ taskId, workspaceId = '', ownerId = '' }) =>
    [taskId, workspaceId, ownerId].some((each) => each.toLowerCase().includes(wanted));
}

/** @param {{ workspaceId: string }} workspace */
function killAllButton({ workspaceId }) {
  const kill = () =>
    stopDialog({
      title: `Kill everything in workspace ${workspaceId}`,
      method: 'POST',
      path: `/workspaces/${encodeURIComponent(workspaceId)}/kill-all`,
      act: 'Kill all',
      hold: 'Let nothing start in it again until somebody releases it',
    });
  return h('button', { class: 'danger', type: 'button', onclick: kill }, `Kill all in ${workspaceId}…`);
}

/** @param {{ label: string, path: string, body: object }} demo @param {HTMLElement} fault */
function demoButton({ label, path, body }, fault) {
  const start = async () => {
    fault.textContent = '';
    try {
      const taskId = `demo-${Math.random().toString(36).slice(2, 8)}`;
      await call('POST', path, { body: { ...body, taskId } });
    } catch (error) {
      fault.textContent = messageOf(error);
    }
  };
  return h('button', { type: 'button', onclick: start }, label);
}

import { ApiError, call } from '../api.js';
import { stopDialog } from '../dialogs.js';
import { clock, count, h, keyed } from '../dom.js';
import { options } from '../options.js';

const lookMs = 1_000;
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
  const live = h('ul', { class: 'cards' });
  const killed = h('ul', { class: 'cards' });
  const summary = h('p', {}, 'Looking…');
  const fault = h('p', { class: 'fault', role: 'alert' });
  const admin = h('div', { class: 'row' });
  main.replaceChildren(
    h('h2', {}, 'Tasks'),
    summary,
    fault,
    admin,
    live,
    h('h2', {}, 'Killed tasks'),
    h('p', { class: 'quiet' }, 'They never start again.'),
    killed,
  );
  for (const { workspaceId, killAll } of me.may.workspaces)
    if (killAll) admin.append(killAllButton(workspaceId));
  for (const demo of options.demo ?? []) admin.append(demoButton(demo, fault));
  const workspaces = me.may.emergencyStop
    ? [undefined]
    : me.may.workspaces.map(({ workspaceId }) => workspaceId);
  while (!signal.aborted) {
    try {
      const [agents, status] = await Promise.all([agentsIn(workspaces), call('GET', '/status')]);
      if (signal.aborted) return;
      const tasks = tasksOf(agents);
      const dead = /** @type {import('../types.js').Status} */ (status).gates.filter(
        ({ scope }) => 'task' in scope,
      );
      summary.textContent = `${count(agents.length, 'live agent')} of ${count(tasks.length, 'task')}`;
      keyed(live, tasks.slice(0, mostShown), ({ taskId }) => taskId, showTask);
      keyed(killed, dead.slice(-mostShown).reverse(), ({ orderId }) => orderId, showKilled);
      fault.textContent = '';
    } catch (error) {
      // That the server does not answer is said once, above.
      const isSilent = error instanceof ApiError && error.status === 0;
      fault.textContent = isSilent ? '' : String(error instanceof Error ? error.message : error);
    }
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}

/**
 * @param {readonly (string | undefined)[]} workspaces
 * @returns {Promise<import('../types.js').Agent[]>}
 */
async function agentsIn(workspaces) {
  const agents = [];
  for (const workspaceId of workspaces) {
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
  /** @type {Map<string, { taskId: string, workspaceId: string, ownerId: string, mayKill: boolean, statuses: Record<string, number>, orderId: string | undefined }>} */
  const tasks = new Map();
  for (const { taskId, workspaceId, ownerId, mayKill, status, orderIds } of agents) {
    const task = tasks.get(taskId) ?? {
      taskId,
      workspaceId,
      ownerId,
      mayKill,
      statuses: {},
      orderId: undefined,
    };
    task.statuses[status] = (task.statuses[status] ?? 0) + 1;
    task.orderId ??= orderIds?.[0];
    tasks.set(taskId, task);
  }
  return [...tasks.values()].sort((a, b) => a.taskId.localeCompare(b.taskId));
}

/** @param {ReturnType<typeof tasksOf>[number]} task */
function showTask({ taskId, workspaceId, ownerId, mayKill, statuses, orderId }) {
  const kill = () =>
    stopDialog({
      title: `Kill task ${taskId}`,
      method: 'POST',
      path: `/tasks/${encodeURIComponent(taskId)}/kill`,
      act: `Kill ${taskId}`,
      warning: 'It never starts again.',
    });
  const state = Object.entries(statuses).map(([status, n]) => `${n} ${status}`);
  return h(
    'li',
    {},
    h(
      'div',
      { class: 'row' },
      h(
        'div',
        {},
        h('h3', {}, taskId),
        h('p', { class: 'quiet' }, `${workspaceId} · ${ownerId} · ${state.join(', ')}`),
        orderId === undefined
          ? undefined
          : h('a', { href: `#/orders/${encodeURIComponent(orderId)}` }, 'Being killed: see how it goes'),
      ),
      mayKill
        ? h(
            'button',
            { class: 'danger', type: 'button', onclick: kill, 'aria-label': `Kill task ${taskId}…` },
            'Kill…',
          )
        : undefined,
    ),
  );
}

/** @param {import('../types.js').Gate} gate */
function showKilled({ scope, orderId, reason, principal, shutAt }) {
  return h(
    'li',
    { class: 'killed' },
    h('h3', {}, 'task' in scope ? scope.task : ''),
    h('p', {}, h('span', { class: 'mark' }, 'KILLED'), ` by ${principal.id} on ${clock(shutAt)}: ${reason}`),
    h('a', { href: `#/orders/${encodeURIComponent(orderId)}` }, 'What became of its agents'),
  );
}

/** @param {string} workspaceId */
function killAllButton(workspaceId) {
  const kill = () =>
    stopDialog({
      title: `Kill everything in workspace ${workspaceId}`,
      method: 'POST',
      path: `/workspaces/${encodeURIComponent(workspaceId)}/kill-all`,
      act: 'Kill all',
    });
  return h('button', { class: 'danger', type: 'button', onclick: kill }, `Kill all in ${workspaceId}…`);
}

/** @param {{ label: string, path: string, body: object }} demo @param {HTMLElement} fault */
function demoButton({ label, path, body }, fault) {
  const start = async () => {
    try {
      await call('POST', path, { ...body, taskId: `demo-${Math.random().toString(36).slice(2, 8)}` });
    } catch (error) {
      fault.textContent = error instanceof Error ? error.message : String(error);
    }
  };
  return h('button', { type: 'button', onclick: start }, label);
}

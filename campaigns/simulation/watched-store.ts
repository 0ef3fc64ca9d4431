import type { Agent, StateStore } from '@agent-killswitch/core';
import type { Life } from './life.ts';
import { perform } from './port-call.ts';
import { isNewTask, staleAgent } from './stale-reads.ts';
import type { World } from './world.ts';

/** The shared state store as one host sees it, over a bad network; everything that it stores goes into the history. */
export function watchedStore(world: World, life: Life): StateStore {
  const { state, history, faults, timeline } = world;

  const ask = <T>(what: string, effect: () => Promise<T>): Promise<T> =>
    perform(world, life, { port: 'store', what: `store.${what}`, effect });

  const stale = (agents: readonly Agent[]): Agent[] => {
    const older = agents.map((agent) => staleAgent(world, agent));
    if (older.every((agent, i) => agent === agents[i]) || !faults.strikes('store: stale read', 2))
      return [...agents];
    life.disturbed.store.push(timeline.now);
    world.trace(
      life.name,
      `is shown what is out of date: ${older.map(({ agentId, revision }) => `${agentId}@${revision}`)}`,
    );
    return older;
  };

  const heard = (orderId: string): void => {
    if (!life.placementsHeard.has(orderId)) life.placementsHeard.set(orderId, history.moment().seq);
  };

  return {
    admit: (agent) =>
      ask(`admit ${agent.agentId}`, async () => {
        const admission = await state.admit(agent);
        if (admission.result === 'admitted') history.admitted(agent, life);
        return admission;
      }).then((admission) => {
        if (admission.result === 'admitted') life.admissionsHeard.add(agent.agentId);
        return admission;
      }),
    getAgent: (agentId) =>
      ask(`getAgent ${agentId}`, async () => {
        const agent = await state.getAgent(agentId);
        return agent === undefined ? undefined : stale([agent])[0];
      }),
    getTask: (taskId) =>
      ask(`getTask ${taskId}`, async () => {
        const isStale = isNewTask(history, taskId, timeline.now) && faults.strikes('store: stale read');
        if (!isStale) return state.getTask(taskId);
        life.disturbed.store.push(timeline.now);
        world.trace(life.name, `is shown no task ${taskId}, as before it was made`);
        return undefined;
      }),
    swapAgents: (agents) =>
      ask(
        `swapAgents ${agents.map(({ agentId, status, revision }) => `${agentId}@${revision}=${status}`)}`,
        async () => {
          const won = await state.swapAgents(agents);
          agents.forEach((agent, i) => {
            if (won[i] === true) history.changed(agent, life);
            world.trace(
              life.name,
              `${agent.agentId}@${agent.revision}=${agent.status} ${won[i] ? 'is stored' : 'lost a race'}`,
            );
          });
          return won;
        },
      ),
    listAgents: (key, page) =>
      ask(`listAgents ${key}`, async () => {
        const found = await state.listAgents(key, page);
        return { ...found, items: stale(found.items) };
      }),
    listOrder: (orderId, page) => ask(`listOrder ${orderId}`, () => state.listOrder(orderId, page)),
    placeOrder: (order) => {
      life.placing.add(order.orderId);
      const begunAt = timeline.now;
      return ask(`placeOrder ${order.orderId}`, async () => {
        const placement = await state.placeOrder(order);
        if (placement.placed && !history.orders.has(order.orderId)) history.placed(order, life);
        return placement;
      }).then((placement) => {
        // The host has given it up by then, and would not hear what becomes of it.
        if (timeline.now - begunAt >= world.deadlines.state) return new Promise(() => undefined);
        heard(order.orderId);
        // What it was to join may be over by the next try, by which it is placed.
        life.toJoin.delete(order.orderId);
        if (!placement.placed) {
          heard(placement.open.orderId);
          if (placement.open.orderId !== order.orderId) life.toJoin.add(order.orderId);
        }
        return placement;
      });
    },
    getOrder: (orderId) =>
      ask(`getOrder ${orderId}`, () => state.getOrder(orderId)).then((order) => {
        if (order !== undefined) heard(orderId);
        return order;
      }),
    swapOrder: (order) =>
      ask(`swapOrder ${order.orderId}${order.settledAt === undefined ? '' : ' settled'}`, async () => {
        const won = await state.swapOrder(order);
        if (won) history.orderChanged(order, life);
        if (won && order.settledAt !== undefined && !isOnRecord(world, order.orderId))
          history.broken.push(`I4: ${order.orderId} is settled before that is on record`);
        return won;
      }),
    listOpenOrders: () =>
      ask('listOpenOrders', () => state.listOpenOrders()).then((orders) => {
        // Of an order that it is placing itself a host goes by the answer to that, or asks for that very order afterwards:
        // until then its claims and its gate are its own to keep (decision 008), whatever a listing has shown meanwhile.
        for (const { orderId } of orders) if (!life.placing.has(orderId)) heard(orderId);
        return orders;
      }),
    listGates: (on) => ask('listGates', () => state.listGates(on)),
    ...(state.gateChanges && {
      gateChanges: (after) =>
        ask('gateChanges', async () => (await state.gateChanges?.(after)) ?? { changes: [], place: '' }),
    }),
    approve: (approval) => ask('approve', () => state.approve(approval)),
    release: (orderIds) =>
      ask(`release ${orderIds}`, async () => {
        const gates = await state.release(orderIds);
        if (gates.length > 0) {
          const opened = gates.map((gate) => gate.orderId);
          history.released(opened, askedBy(world, opened), life);
        }
        return gates;
      }),
    renewLease: (lease) => ask('renewLease', () => state.renewLease(lease)),
    listLeases: () => ask('listLeases', () => state.listLeases()),
    watch: (changed) => watch(world, life, changed),
  };
}

function isOnRecord({ sinks }: World, orderId: string): boolean {
  return [...sinks.values()].some((sink) =>
    sink.events().some((event) => event.type === 'order.settled' && event.orderId === orderId),
  );
}

/** Who asked, on a durable record, for gates that include these to be opened. */
function askedBy({ sinks }: World, orderIds: readonly string[]): string[] {
  const events = [...sinks.values()].flatMap((sink) => sink.events());
  return events.flatMap((event) =>
    event.type === 'release.requested' && orderIds.every((orderId) => event.orderIds.includes(orderId))
      ? [event.principal.id]
      : [],
  );
}

/** Hints that are lost, late or told twice. */
function watch(world: World, life: Life, changed: () => void): () => void {
  const { state, faults, timeline, random } = world;
  const strikes = (kind: 'lost' | 'late' | 'repeated'): boolean => {
    const isStruck = faults.strikes(`watch: ${kind} hint`);
    if (isStruck) world.trace(life.name, `its hint is ${kind}`);
    return isStruck;
  };
  const hint = (): void => {
    if (!life.isDead) changed();
  };
  const unwatch = state.watch(() => {
    if (strikes('lost')) return;
    const ms = strikes('late') ? random.integer(50, 2_000) : random.integer(0, 3);
    timeline.after(ms, hint);
    if (strikes('repeated')) timeline.after(ms, hint);
  });
  life.onEnd(unwatch);
  return unwatch;
}

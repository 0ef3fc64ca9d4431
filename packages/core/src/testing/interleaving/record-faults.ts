import type { RaceWorld } from './race-world.ts';

/** What store, record and runtimes say of each other at the end that cannot be true together. */
export async function recordFaults(world: RaceWorld): Promise<string[]> {
  const faults: string[] = [];
  const listed = (await world.state.listAgents('everything', { limit: 100 })).items.map(
    ({ agentId }) => agentId,
  );
  if (listed.join() !== world.alive().join())
    faults.push(`alive are [${world.alive()}], in the store live [${listed}]`);
  const killed = world.events('agent.killed').map(({ agentId }) => agentId);
  for (const agentId of world.asked) {
    const agent = await world.state.getAgent(agentId);
    const times = killed.filter((each) => each === agentId).length;
    const due = agent?.status === 'killed' ? 1 : 0;
    if (times !== due) faults.push(`${agentId} is ${agent?.status} and ${times} times on record as killed`);
  }
  return [...faults, ...(await orderFaults(world))];
}

/** Every order stands on record once, joined or settled, and none is open. */
async function orderFaults(world: RaceWorld): Promise<string[]> {
  const open = await world.state.listOpenOrders();
  const faults = open.map(({ orderId }) => `order ${orderId} is still open`);
  const requested = world.events('order.requested').map(({ orderId }) => orderId);
  if (new Set(requested).size !== requested.length) faults.push(`requested on record: ${requested}`);
  const ended = [...world.events('order.joined'), ...world.events('order.settled')].map(
    ({ orderId }) => orderId,
  );
  if (ended.sort().join() !== requested.sort().join())
    faults.push(`requested were [${requested}], joined or settled [${ended}]`);
  return faults;
}

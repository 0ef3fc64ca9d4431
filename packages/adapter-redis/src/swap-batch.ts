import { type Agent, isLive, listKeysOf, scopeKeysOf } from '@agent-killswitch/core';
import { agentHead, agentTail } from './envelope.ts';
import type { Keys } from './keys.ts';

/** What `swapAgents` is called with: its keys after the store's, its arguments after id, epoch, channel and sender. */
export interface SwapBatch {
  readonly keys: readonly string[];
  readonly args: readonly string[];
}

/** @param call names this call; the agents of one are told apart by their revisions. */
export function swapBatch(keys: Keys, agents: readonly Agent[], call: string): SwapBatch {
  const places = new Map<string, number>();
  const named: string[] = [];
  const placeOf = (key: string): number => {
    let place = places.get(key);
    if (place === undefined) {
      // Lua counts from one, and the store's key comes first.
      place = named.push(key) + 1;
      places.set(key, place);
    }
    return place;
  };
  const placesOf = (names: readonly string[]): string => names.map(placeOf).join(' ');
  const args = [String(agents.length)];
  agents.forEach((agent, n) => {
    const { agentId, revision, status } = agent;
    const listed = (listKeys: readonly string[]) =>
      listKeys.filter((key) => key !== `agent:${agentId}`).map((key) => keys.list(key));
    const everywhere = isLive(agent)
      ? [`cleanup:${agent.hostId}`]
      : [...scopeKeysOf(agent), `host:${agent.hostId}`, `cleanup:${agent.hostId}`];
    const orders = 'kill' in agent ? agent.kill.orderIds.map((orderId) => keys.claimed(orderId)) : [];
    const name = `${call}.${n}`;
    args.push(
      String(placeOf(keys.agent(agentId))),
      String(revision - 1),
      String(revision),
      status,
      name,
      agentHead(agent, name),
      agentTail(agent),
      agentId,
      placesOf(listed(everywhere)),
      placesOf(listed(listKeysOf(agent))),
      placesOf(orders),
    );
  });
  return { keys: named, args };
}

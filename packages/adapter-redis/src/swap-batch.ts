import { type Agent, isLive, listKeysOf, scopeKeysOf } from '@agent-killswitch/core';
import { agentHead, agentTail } from './envelope.ts';
import type { Keys } from './keys.ts';

/** What `swapAgents` is called with: its keys after the store's, its arguments after id, epoch, channel and sender. */
export interface SwapBatch {
  readonly keys: readonly string[];
  readonly args: readonly string[];
}

/**
 * @param call names this call; the agents of one are told apart by their places in it.
 * @param isRelisting whether also agents that live are put on their lists. They are on them since their admission, unless
 * one that had ended lives again, which no lifecycle has: the script tells.
 */
export function swapBatch(
  keys: Keys,
  agents: readonly Agent[],
  call: string,
  isRelisting: boolean,
): SwapBatch {
  const named = agents.map((agent) => keys.agent(agent.agentId));
  const places = new Map<string, number>();
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
  const args = [call, String(agents.length)];
  agents.forEach((agent, n) => {
    const { agentId, revision, status } = agent;
    const moves = isRelisting || !isLive(agent);
    const orders = 'kill' in agent ? agent.kill.orderIds.map((orderId) => keys.claimed(orderId)) : [];
    args.push(
      String(revision - 1),
      status,
      agentHead(agent, `${call}.${n + 1}`),
      agentTail(agent),
      agentId,
      placesOf(orders),
      moves ? placesOf(listsOf(keys, agentId, [...scopeKeysOf(agent), `cleanup:${agent.hostId}`])) : '',
      moves ? placesOf(listsOf(keys, agentId, listKeysOf(agent))) : '',
    );
  });
  return { keys: named, args };
}

/** An agent needs no list to stand under its own key. */
function listsOf(keys: Keys, agentId: string, listKeys: readonly string[]): string[] {
  return listKeys.filter((key) => key !== `agent:${agentId}`).map((key) => keys.list(key));
}

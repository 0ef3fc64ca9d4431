import type { Killswitch, OrderReport, Principal } from '@agent-killswitch/core';
import { ownAgents } from './supervisor.ts';

const principal: Principal = { id: 'reference-server', kind: 'service', grants: [{ role: 'super-admin' }] };

/** The server has ended, and these agents of its were not seen dead. */
export class AgentsAliveError extends Error {
  override readonly name = 'AgentsAliveError';

  constructor(agentIds: readonly string[]) {
    super(`Not confirmed dead: ${agentIds.join(', ')}. Their kill goes on when the server is started again`);
  }
}

/**
 * Kills every agent of this server, on record.
 * @throws AgentsAliveError naming who is not observed dead at the deadline
 */
export async function killOwnAgents(ks: Killswitch): Promise<void> {
  const kills: Array<Promise<OrderReport | undefined>> = [];
  for await (const { agentId } of ownAgents(ks)) {
    const kill = ks.kill({ agent: agentId }, { principal, reason: 'the server shuts down' });
    // One that has ended in the meantime needs no kill.
    kills.push(kill.catch(() => undefined));
  }
  const alive = new Set<string>();
  for (const report of await Promise.all(kills))
    for (const { agentId, outcome } of report?.outcomes ?? [])
      if (outcome !== 'confirmed') alive.add(agentId);
  if (alive.size > 0) throw new AgentsAliveError([...alive]);
}

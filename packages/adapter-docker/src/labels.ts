import { idSchema, parseInput } from '@agent-killswitch/core';

const agentLabel = 'agent-killswitch.agent';
const installationLabel = 'agent-killswitch.installation';

/**
 * The labels by which an agent's container is found again, for those who make containers themselves. `installation` names the
 * killswitch with its state store, apart from others that use the same engine: agent ids mean something only within one.
 * @throws InvalidInputError
 */
export function agentLabels(agentId: string, installation?: string): Record<string, string> {
  const labels = { [agentLabel]: parseInput('agentId', idSchema, agentId) };
  if (installation === undefined) return labels;
  return { ...labels, [installationLabel]: parseInput('installation', idSchema, installation) };
}

/** As filters of a listing. */
export function labelFilters(installation: string | undefined, agentId?: string): string[] {
  return [
    agentId === undefined ? agentLabel : `${agentLabel}=${agentId}`,
    ...(installation === undefined ? [] : [`${installationLabel}=${installation}`]),
  ];
}

/** The agent that a container is labelled for in this installation; `undefined` if it is none of its. */
export function labelledAgent(
  labels: Readonly<Record<string, string>>,
  installation: string | undefined,
): string | undefined {
  return labels[installationLabel] === installation ? labels[agentLabel] : undefined;
}

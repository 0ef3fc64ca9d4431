import { type Agent, type Gate, maxReasonLength, type StopOrder } from '@agent-killswitch/core';
import { type Bug, type Bugs, breaks, mislists } from './broken-state-store.ts';

type Change = (record: Record<string, unknown>) => Record<string, unknown>;

/** Loses what `change` takes off the agent, or off its kill record, where the store is asked by id. */
function getsAgent(change: Change): Bug {
  return breaks((real) => ({
    getAgent: async (agentId) => {
      const agent = await real.getAgent(agentId);
      return agent === undefined ? undefined : (change(agent) as Agent);
    },
  }));
}

function lists(member: 'listAgents' | 'listOrder', change: Change): Bug {
  return mislists(member, (items) => items.map((agent) => change(agent) as Agent));
}

function getsOrder(change: Change): Bug {
  return breaks((real) => ({
    getOrder: async (orderId) => {
      const order = await real.getOrder(orderId);
      return order === undefined ? undefined : (change(order) as StopOrder);
    },
  }));
}

function listsOrders(change: Change): Bug {
  return breaks((real) => ({
    listOpenOrders: async () => (await real.listOpenOrders()).map((order) => change(order) as StopOrder),
  }));
}

function listsGates(change: (gate: Gate) => Gate): Bug {
  return breaks((real) => ({ listGates: async () => (await real.listGates()).map(change) }));
}

const without =
  (field: string): Change =>
  ({ [field]: _, ...rest }) =>
    rest;

const inKill =
  (change: Change): Change =>
  (agent) =>
    agent.kill === undefined ? agent : { ...agent, kill: change(agent.kill as Record<string, unknown>) };

const asciiEvidence: Change = (kill) => ({
  ...kill,
  evidence: String(kill.evidence).replace(/[^ -~]/gu, '?'),
});

const inRelease =
  (change: Change): Change =>
  (order) =>
    order.released === undefined
      ? order
      : { ...order, released: change(order.released as Record<string, unknown>) };

const cut = (text: unknown, length: number) => String(text).slice(0, length);

const shorterReason =
  (length: number): Change =>
  (order) => ({ ...order, reason: cut(order.reason, length) });

const agentFields = ['sessionIds', 'parentId', 'agentType', 'resources', 'ledger', 'startedAt', 'error'];
const killFields = ['signalledAt', 'forcedAt', 'confirmedAt', 'unconfirmedAt', 'evidence', 'errors'];
const orderFields = ['workspaceId', 'ownerId', 'policyVersion', 'released', 'settledAt'];

export const recordBugs: Bugs = {
  'an agent comes back as it was stored, every field of it, by its id and in listings': [
    ...agentFields.map((field) => getsAgent(without(field))),
    ...killFields.map((field) => getsAgent(inKill(without(field)))),
    getsAgent((agent) => ({ ...agent, handles: (agent.handles as unknown[]).slice(0, 1) })),
    getsAgent(inKill(asciiEvidence)),
    lists('listAgents', without('resources')),
    lists('listAgents', inKill(without('unconfirmedAt'))),
    lists('listOrder', without('handles')),
    lists('listOrder', inKill(without('errors'))),
  ],
  'an order comes back as it was stored, every field of it, and so does its gate': [
    ...orderFields.map((field) => getsOrder(without(field))),
    getsOrder(shorterReason(255)),
    getsOrder(shorterReason(maxReasonLength - 1)),
    getsOrder(inRelease((released) => ({ ...released, approvedBy: [] }))),
    listsOrders(without('ownerId')),
    listsOrders(inRelease(without('releaseId'))),
    listsGates((gate) => ({ ...gate, reason: cut(gate.reason, 255) })),
    breaks((real) => ({
      admit: async (agent) => {
        const answer = await real.admit(agent);
        return answer.result === 'gated'
          ? { ...answer, gate: { ...answer.gate, reason: cut(answer.gate.reason, 255) } }
          : answer;
      },
    })),
  ],
};

import { type Agent, type Approval, isLive, type Lease, type StateStore } from '@agent-killswitch/core';
import { memoryState } from '@agent-killswitch/core/memory';
import { type Bug, type Bugs, breaks, but, mislists, pagesByOffset, turn } from './broken-state-store.ts';

/** A store whose approvals are this list. */
function approves(
  keep: (kept: Approval[], approval: Approval) => readonly Approval[] | Promise<readonly Approval[]>,
  drop: (approval: Approval, orderIds: readonly string[]) => boolean = names,
): Bug {
  return breaks((real) => {
    const kept: Approval[] = [];
    return {
      approve: async (approval) => keep(kept, approval),
      release: async (orderIds) => {
        const left = kept.filter((approval) => !drop(approval, orderIds));
        kept.splice(0, kept.length, ...left);
        return real.release(orderIds);
      },
    };
  });
}

function names({ orderIds }: Approval, released: readonly string[]): boolean {
  return orderIds.some((orderId) => released.includes(orderId));
}

function sameOrders(a: Approval, b: Approval): boolean {
  return a.orderIds.join(' ') === b.orderIds.join(' ');
}

/** As it should be, but for what counts as the same orders. */
function soundly(kept: Approval[], approval: Approval, isSame = sameOrders): readonly Approval[] {
  const given = kept.filter((other) => isSame(other, approval));
  if (given.some(({ principal }) => principal.id === approval.principal.id)) return given;
  kept.push(approval);
  return [...given, approval];
}

function leases(keep: (stored: Lease | undefined, lease: Lease) => boolean | Promise<boolean>): Bug {
  return breaks(() => {
    const kept = new Map<string, Lease>();
    return {
      renewLease: async (lease) => {
        if (await keep(kept.get(lease.hostId), lease)) kept.set(lease.hostId, lease);
      },
      listLeases: async () => [...kept.values()],
    };
  });
}

const afterRestart = (...members: readonly (keyof StateStore)[]): Bug => {
  return (real) => {
    const empty = but(memoryState(), {});
    return {
      store: real,
      reopened: but(real, Object.fromEntries(members.map((name) => [name, empty[name]]))),
    };
  };
};

const hostOf = (key: string) => key.slice(key.indexOf(':') + 1);

export const hostBugs: Bugs = {
  'approve keeps approvals and returns all of the same orders, oldest first (I9)': [
    approves((_, approval) => [approval]),
    approves((kept, approval) => soundly(kept, approval).toReversed()),
    approves((kept, approval) => soundly(kept, approval).toSorted((a, b) => a.at - b.at)),
    approves((kept, approval) =>
      soundly(kept, approval).toSorted((a, b) => (a.principal.id < b.principal.id ? -1 : 1)),
    ),
  ],
  'a principal approves the same orders once, with its first word (I9)': [
    approves((kept, approval) => {
      kept.push(approval);
      return kept.filter((other) => sameOrders(other, approval));
    }),
    approves((kept, approval) => {
      const at = kept.findIndex((other) => other.principal.id === approval.principal.id);
      if (at === -1) return soundly(kept, approval);
      kept[at] = approval;
      return [...kept];
    }),
  ],
  'approvals of other orders count on their own (I9)': [
    approves((kept, approval) => soundly(kept, approval, (a, b) => a.orderIds[0] === b.orderIds[0])),
    approves((kept, approval) =>
      soundly(kept, approval, (a, b) => a.orderIds.join('') === b.orderIds.join('')),
    ),
    approves((kept, approval) =>
      soundly(kept, approval, (a, b) => a.orderIds.join(':') === b.orderIds.join(':')),
    ),
    approves((kept, approval) => soundly(kept, approval, (a, b) => names(a, b.orderIds))),
  ],
  'of one principal’s racing approvals of the same orders, one is kept (I9)': [
    approves(async (kept, approval) => {
      const isGiven = kept.some(({ principal }) => principal.id === approval.principal.id);
      await turn();
      if (!isGiven) kept.push(approval);
      return [...kept];
    }),
  ],
  'release drops every approval that names one of its orders, and no other (I9)': [
    approves(
      (kept, approval) => soundly(kept, approval),
      () => false,
    ),
    approves(
      (kept, approval) => soundly(kept, approval),
      () => true,
    ),
    approves(
      (kept, approval) => soundly(kept, approval),
      ({ orderIds }, released) => orderIds.every((orderId) => released.includes(orderId)),
    ),
    approves(
      (kept, approval) => soundly(kept, approval),
      ({ orderIds }, released) => orderIds.join(' ') === released.join(' '),
    ),
  ],
  'release drops approvals also where no gate stands any more': [
    approves(
      (kept, approval) => soundly(kept, approval),
      () => false,
    ),
  ],
  'approvals are there after a restart (I9)': [afterRestart('approve')],
  'one id is one principal, of whatever kind: it approves the same orders once (I9)': [
    approves((kept, approval) => {
      const given = kept.filter((other) => sameOrders(other, approval));
      const { id, kind } = approval.principal;
      if (given.some(({ principal }) => principal.id === id && principal.kind === kind)) return given;
      kept.push(approval);
      return [...given, approval];
    }),
    approves((kept, approval) => {
      const at = kept.findIndex(
        (other) => sameOrders(other, approval) && other.principal.id === approval.principal.id,
      );
      kept.splice(at < 0 ? kept.length : at, 1, approval);
      return kept.filter((other) => sameOrders(other, approval));
    }),
  ],
  'listLeases lists 150 hosts': [
    breaks((real) => ({ listLeases: async () => (await real.listLeases()).slice(0, 50) })),
    breaks((real) => ({ listLeases: async () => (await real.listLeases()).slice(-100) })),
  ],
  'listLeases lists the newest lease of every host that ever had one': [
    leases((stored) => stored === undefined),
    leases((_, lease) => lease.until > 0),
    breaks((real) => ({
      renewLease: (lease) => real.renewLease({ ...lease, hostId: lease.hostId.toLowerCase() }),
    })),
    breaks((real) => ({
      listLeases: async () => (await real.listLeases()).filter(({ until }) => until > Date.now()),
    })),
  ],
  'renewLease never shortens a lease (I6)': [leases(() => true), leases((stored) => stored === undefined)],
  'of racing renewals, the longest stands (I6)': [
    leases(async (stored, lease) => {
      await turn();
      return lease.until >= (stored?.until ?? 0);
    }),
  ],
  'leases are there after a restart': [afterRestart('renewLease', 'listLeases')],
  'listAgents lists a host’s live agents under its host key, and none that has ended': [
    mislists('listAgents', (items, key) =>
      key.startsWith('host:') ? items.filter((agent) => agent.status !== 'killing') : items,
    ),
    mislists('listAgents', (items, key) => (key.startsWith('host:') ? [] : items)),
    mislists('listAgents', async (items, key, real) =>
      key.startsWith('host:') ? [...items, ...(await ended(real, hostOf(key)))] : items,
    ),
    mislists('listAgents', async (items, key, real) =>
      key.startsWith('host:') ? (await real.listAgents('everything', { limit: 100 })).items : items,
    ),
  ],
  'listAgents lists an ended agent under its host’s cleanup key while a step is pending': [
    mislists('listAgents', (items, key) => (key.startsWith('cleanup:') ? [] : items)),
    mislists('listAgents', (items, key) =>
      key.startsWith('cleanup:') ? items.filter((agent) => agent.status === 'killed') : items,
    ),
    mislists('listAgents', (items, key) =>
      key.startsWith('cleanup:')
        ? items.filter((agent) => agent.ledger.every(({ status }) => status === 'pending'))
        : items,
    ),
    mislists('listAgents', async (items, key, real) =>
      key.startsWith('cleanup:')
        ? [...items, ...(await real.listAgents(`host:${hostOf(key)}`, { limit: 100 })).items]
        : items,
    ),
    cleanupNeverEnds(),
  ],
  'a host’s keys are no other host’s, and no scope’s': [
    breaks((real) => ({
      listAgents: (key, page) => real.listAgents(key.replace(/^host:h$/i, 'host:h'), page),
    })),
    breaks((real) => ({
      listAgents: (key, page) => real.listAgents(key.replace(/^host:host:/, 'host:'), page),
    })),
    breaks((real) => ({
      listAgents: (key, page) => real.listAgents(key.replace(/^host:cleanup:/, 'cleanup:'), page),
    })),
    mislists('listAgents', async (items, key, real) =>
      key.startsWith('task:')
        ? [...items, ...(await real.listAgents(`cleanup:${hostOf(key)}`, { limit: 100 })).items]
        : items,
    ),
  ],
  'a cleanup that finishes what each page lists reaches every agent': [pagesByOffset('listAgents')],
  'a host finds its live agents and its pending cleanups after a restart (I4)': [
    afterRestart('listAgents'),
    (real) => ({
      store: real,
      reopened: but(real, {
        listAgents: async (key, page) =>
          key.startsWith('cleanup:') ? { items: [] } : real.listAgents(key, page),
      }),
    }),
  ],
};

async function ended(real: StateStore, hostId: string): Promise<Agent[]> {
  const ids = ['completed', 'failed', 'killed'];
  const found = await Promise.all(ids.map((id) => real.getAgent(id)));
  return found.flatMap((agent) =>
    agent !== undefined && !isLive(agent) && agent.hostId === hostId ? [agent] : [],
  );
}

/** Once under the cleanup key, always there. */
function cleanupNeverEnds(): Bug {
  return breaks((real) => {
    const seen = new Map<string, Agent>();
    return {
      listAgents: async (key, page) => {
        const answer = await real.listAgents(key, page);
        if (!key.startsWith('cleanup:')) return answer;
        for (const agent of answer.items) seen.set(agent.agentId, agent);
        return { ...answer, items: [...seen.values()] };
      },
    };
  });
}

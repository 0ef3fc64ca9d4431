import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createKillswitch, type Killswitch, type Principal } from '@agent-killswitch/core';
import {
  type MemoryAudit,
  type MemoryRuntime,
  memoryAudit,
  memoryRuntime,
  memoryState,
} from '@agent-killswitch/core/memory';

export const root: Principal = { id: 'root', kind: 'user', grants: [{ role: 'super-admin' }] };
export const mia: Principal = { id: 'mia', kind: 'user', grants: [{ role: 'member', workspaceId: 'w' }] };

/** A killswitch in memory. */
export interface Crew {
  readonly ks: Killswitch;
  readonly audit: MemoryAudit;
  readonly runtime: MemoryRuntime;
}

export async function crew(): Promise<Crew> {
  const audit = memoryAudit();
  const runtime = memoryRuntime();
  const ks = createKillswitch({
    hostId: 'h',
    state: memoryState(),
    audit,
    runtimes: { memory: runtime },
  });
  await ks.start();
  return { ks, audit, runtime };
}

/** Starts so many agents of mia's, each with a task of its own. */
export async function admit({ ks, runtime }: Crew, from: number, count: number): Promise<void> {
  for (let n = from; n < from + count; n++) {
    await ks.admit({ agentId: `a-${n}`, taskId: `task-${n}`, workspaceId: 'w', ownerId: 'mia' });
    await ks.running(`a-${n}`, [runtime.spawn('cooperative')]);
  }
}

/** Does something with the port at which a listener is served. */
export async function served<T>(listener: RequestListener, use: (port: number) => Promise<T>): Promise<T> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await use((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** What a page would do with the library and nothing else: the bundle of the purity test starts here. */
import * as core from '@agent-killswitch/core';
import * as memory from '@agent-killswitch/core/memory';

// In the bundle whole, whether the kill below uses it or not.
export { core, memory };

export interface BrowserKill {
  readonly report: core.OrderReport;
  readonly wasAlive: boolean;
  readonly isAlive: boolean;
  readonly status: core.Agent['status'];
  readonly refused: string;
  readonly chain: core.ChainReport;
  readonly events: readonly string[];
}

/** Admits a stubborn agent, kills its task, and looks at everything afterwards. */
export async function browserKill(): Promise<BrowserKill> {
  const runtime = memory.memoryRuntime();
  const audit = memory.memoryAudit();
  const ks = core.createKillswitch({
    hostId: 'page',
    state: memory.memoryState(),
    audit,
    runtimes: { memory: runtime },
    deadlines: { forceAfter: 50, confirmWithin: 2_000 },
  });
  await ks.start();
  const agent = { agentId: 'a', taskId: 't', workspaceId: 'w', ownerId: 'ada' };
  await ks.admit(agent);
  const handle = runtime.spawn('stubborn');
  await ks.running('a', [handle]);
  const wasAlive = runtime.isAlive(handle);
  const principal: core.Principal = {
    id: 'ada',
    kind: 'user',
    grants: [{ role: 'member', workspaceId: 'w' }],
  };
  const report = await ks.kill({ task: 't' }, { principal, reason: 'it does not stop' });
  const refused = await ks.admit({ ...agent, agentId: 'b' }).then(
    () => 'admitted',
    (error: unknown) => (core.isKillswitchError(error) ? error.code : String(error)),
  );
  const { status } = await ks.agent('a');
  await ks.close();
  const chain = await core.verifyChain(audit.read(), { partition: 'memory', head: (await audit.heads())[0] });
  const events = audit.events().map(({ type }) => type);
  return { report, wasAlive, isAlive: runtime.isAlive(handle), status, refused, chain, events };
}

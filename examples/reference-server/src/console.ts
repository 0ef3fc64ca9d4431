import { markVariable } from '@agent-killswitch/adapter-process';
import type { ConsoleOptions } from '@agent-killswitch/express-router';
import type { ServerConfig } from './config.ts';

/** From `/api/orchestrator`, where the router is mounted, up to this server's own endpoints. */
const spawn = '/../../agents/spawn';

/** Agents to try it with are offered only where everything is embedded: nobody starts a rogue on a service in use. */
export function consoleOptions({ valkey, database, sandboxImage }: ServerConfig): ConsoleOptions {
  const isEmbedded = valkey === undefined && database === undefined && sandboxImage === undefined;
  return { outOfBand: outOfBand(markVariable), ...(isEmbedded ? { demo } : {}) };
}

const demo = (['cooperative', 'stubborn', 'forking'] as const).map((behaviour) => ({
  label: `Start a ${behaviour} agent`,
  path: spawn,
  body: { agentType: 'worker', behaviour },
}));

/** Kills, as the user who runs them or root, every process that bears this mark in its environment, until none is left. */
export function outOfBand(mark: string): string {
  const marked = `grep -sla '${mark}=' /proc/[0-9]*/environ`;
  return `while ${marked} | cut -d/ -f3 | grep . | xargs -r kill -9; ${marked} | grep -q .; do :; done`;
}

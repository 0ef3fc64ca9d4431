import { isKillswitchError } from '@agent-killswitch/core';
import { installShutdownHandlers } from '@agent-killswitch/sessions';
import { configOf } from './config.ts';
import { type RunningServer, startServer } from './server.ts';

function greet({ url, tokens }: RunningServer): void {
  console.log(`listening on ${url}`);
  console.log(`\nOpen it in a browser for the console; it asks for one of the tokens.`);
  const byId = new Map([...tokens].map(([token, principal]) => [principal.id, token]));
  const member = byId.get('demo-member');
  const superAdmin = byId.get('super-admin');
  if (member === undefined || superAdmin === undefined) return;
  const post = (path: string, token: string, body: unknown): string =>
    `curl -sX POST ${url}${path} -H 'Authorization: Bearer ${token}' -H 'Content-Type: application/json' -d '${JSON.stringify(body)}'`;
  console.log(`
Tokens for this run (set REFERENCE_PRINCIPALS_FILE for your own):
${[...tokens].map(([token, principal]) => `  ${principal.id.padEnd(12)} ${token}`).join('\n')}

Start an agent that ignores every signal it can and forks away from its parent:
  ${post('/agents/spawn', member, { taskId: 'task-1', agentType: 'worker', behaviour: 'forking' })}

Kill its task, and read who died, when, and how that is known:
  ${post('/api/orchestrator/tasks/task-1/kill', member, { reason: 'it went rogue' })}

Stop everything, everywhere, until somebody releases it:
  ${post('/api/orchestrator/emergency-stop', superAdmin, { reason: 'drill' })}
`);
}

try {
  const config = configOf(process.env);
  const server = await startServer(config);
  greet(server);
  // Only a server that was up takes its agents with it: one that fails to start leaves what a crash left running.
  installShutdownHandlers(server.ks, { graceMs: config.shutdownGraceMs, close: () => server.close() });
} catch (error) {
  // A named error says what to do; anything else is a fault of ours and needs its stack.
  console.error(isKillswitchError(error) ? `Cannot start: ${error.message}` : error);
  process.exitCode = 1;
}

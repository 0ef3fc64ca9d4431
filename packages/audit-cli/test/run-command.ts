import { execFile } from 'node:child_process';
import { join } from 'node:path';

const script = join(import.meta.dirname, '../src/bin.ts');

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command as a process of its own. `node`: further arguments for Node. */
export function run(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  node: readonly string[] = [],
): Promise<Outcome> {
  return new Promise((resolve) => {
    const all = ['--conditions=agent-killswitch-source', ...node, script, ...args];
    const options = { env: { ...process.env, DATABASE_URL: '', ...env }, maxBuffer: 2 ** 26 };
    execFile(process.execPath, all, options, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : error === null ? 0 : -1;
      resolve({ code, stdout, stderr });
    });
  });
}

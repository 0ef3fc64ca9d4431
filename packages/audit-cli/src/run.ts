import { describeError, isKillswitchError } from '@agent-killswitch/core';
import { UsageError, usage } from './arguments.ts';
import { exportRecords } from './export-records.ts';
import { parseCommand } from './parse-command.ts';
import { verifyRecord } from './verify-record.ts';

/**
 * The command `agent-killswitch-audit`: results go to stdout, all else to stderr.
 * @returns the exit code. 0: all is well; 1: the record was changed; 2: the command makes no sense; 3: it could not be done
 */
export async function run(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  if (args.some((arg) => arg === '--help' || arg === '-h')) {
    process.stdout.write(usage);
    return 0;
  }
  try {
    const command = parseCommand([...args], env);
    return command.name === 'verify' ? await verifyRecord(command) : await exportRecords(command);
  } catch (error) {
    process.stderr.write(`agent-killswitch-audit: ${describeError(error)}\n`);
    if (error instanceof UsageError) process.stderr.write(usage);
    if (error instanceof UsageError || isKillswitchError(error, 'invalid-input')) return 2;
    return isKillswitchError(error, 'journal-corrupt') ? 1 : 3;
  }
}

import { exitLike } from '../setup/child.mjs';
import { Interrupted } from './interruption.ts';
import { runAndSweep } from './run-and-sweep.ts';
import { isCi, NamedServiceError, type Service } from './service.ts';
import { serviceNamed, services } from './table.ts';
import { withServices } from './with-services.ts';

const usage = `Usage: node scripts/services.mjs list
       node scripts/services.mjs with SERVICE... -- COMMAND [ARGUMENT...]`;

const [verb, ...rest] = process.argv.slice(2);
if (verb === 'list' && rest.length === 0) {
  for (const { name, variable } of services) process.stdout.write(`${name}\t${variable}\n`);
} else if (verb === 'with') {
  await runWith(rest);
} else {
  refuse(usage);
}

async function runWith(args: readonly string[]): Promise<void> {
  const end = args.indexOf('--');
  const [command, ...commandArgs] = end === -1 ? [] : args.slice(end + 1);
  if (command === undefined) return refuse(usage);
  let wanted: Service[];
  try {
    wanted = args.slice(0, end).map(serviceNamed);
  } catch (error) {
    return refuse((error as Error).message);
  }
  try {
    const end = await withServices(wanted, ({ env, missing }) => {
      if (missing.length > 0 && isCi)
        throw new Error(`Under CI every service has to be there; no ${missing[0]?.name}`);
      return runAndSweep(command, commandArgs, env);
    });
    exitLike(end);
  } catch (error) {
    if (error instanceof Interrupted) return exitLike({ code: null, signal: error.signal });
    process.stderr.write(
      `services: ${error instanceof NamedServiceError ? error.message : (error as Error).stack}\n`,
    );
    process.exitCode = 1;
  }
}

function refuse(message: string): void {
  process.stderr.write(`${message}\n`);
  process.exitCode = 2;
}

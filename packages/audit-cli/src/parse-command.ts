import { parseArgs } from 'node:util';
import { type ExportCommand, formats, type Source, UsageError, type VerifyCommand } from './arguments.ts';

const options = {
  database: { type: 'string' },
  journal: { type: 'string' },
  checkpoints: { type: 'string' },
  key: { type: 'string', multiple: true },
  format: { type: 'string' },
  chain: { type: 'string' },
} as const;

/** @throws UsageError */
export function parseCommand(args: string[], env: NodeJS.ProcessEnv): VerifyCommand | ExportCommand {
  const { values, positionals } = parsed(args);
  const [name, ...rest] = positionals;
  if (rest.length > 0) throw new UsageError(`unexpected "${rest.join(' ')}"`);
  if (name !== 'verify' && name !== 'export')
    throw new UsageError(name === undefined ? 'verify or export?' : `no command "${name}"`);
  const source = sourceOf(values.database, values.journal, env);
  const { checkpoints, key, chain } = values;
  if (name === 'verify') {
    if (values.format !== undefined || chain !== undefined)
      throw new UsageError('verify takes neither --format nor --chain');
    if (key === undefined && checkpoints !== undefined) throw new UsageError('--checkpoints needs --key');
    return {
      name,
      source,
      ...(checkpoints !== undefined && { checkpoints }),
      keys: key ?? [],
    };
  }
  if (checkpoints !== undefined || key !== undefined)
    throw new UsageError('export takes neither --checkpoints nor --key');
  const format = formats.find((known) => known === (values.format ?? 'jsonl'));
  if (format === undefined)
    throw new UsageError(`no format "${values.format}"; there are ${formats.join(', ')}`);
  return { name, source, format, ...(chain !== undefined && { chain }) };
}

function sourceOf(database: string | undefined, journal: string | undefined, env: NodeJS.ProcessEnv): Source {
  if (database !== undefined && journal !== undefined)
    throw new UsageError('--database and --journal: one at a time');
  if (journal === '') throw new UsageError('--journal needs a path');
  if (journal !== undefined) return { journal };
  const url = database ?? env.DATABASE_URL;
  if (url === undefined || url === '')
    throw new UsageError('which record? Give --database URL or --journal PATH');
  return { database: url };
}

function parsed(args: string[]) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'bad arguments');
  }
}

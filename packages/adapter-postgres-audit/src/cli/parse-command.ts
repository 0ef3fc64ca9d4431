import { parseArgs } from 'node:util';
import { type ExportCommand, formats, UsageError, type VerifyCommand } from './arguments.ts';

const options = {
  database: { type: 'string' },
  checkpoints: { type: 'string' },
  key: { type: 'string' },
  format: { type: 'string' },
  chain: { type: 'string' },
} as const;

/** @throws UsageError */
export function parseCommand(args: string[], env: NodeJS.ProcessEnv): VerifyCommand | ExportCommand {
  const { values, positionals } = parsed(args);
  const [name, ...rest] = positionals;
  if (rest.length > 0) throw new UsageError(`unexpected "${rest.join(' ')}"`);
  const database = values.database ?? env.DATABASE_URL;
  if (database === undefined || database === '') throw new UsageError('which database? Give --database URL');
  if (name === 'verify') {
    if (values.format !== undefined || values.chain !== undefined)
      throw new UsageError('verify takes neither --format nor --chain');
    const { checkpoints, key } = values;
    if (key === undefined && checkpoints !== undefined) throw new UsageError('--checkpoints needs --key');
    return {
      name,
      database,
      ...(checkpoints !== undefined && { checkpoints }),
      ...(key !== undefined && { key }),
    };
  }
  if (name !== 'export')
    throw new UsageError(name === undefined ? 'verify or export?' : `no command "${name}"`);
  if (values.checkpoints !== undefined || values.key !== undefined)
    throw new UsageError('export takes neither --checkpoints nor --key');
  const format = formats.find((known) => known === (values.format ?? 'jsonl'));
  if (format === undefined)
    throw new UsageError(`no format "${values.format}"; there are ${formats.join(', ')}`);
  return { name, database, format, ...(values.chain !== undefined && { chain: values.chain }) };
}

function parsed(args: string[]) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'bad arguments');
  }
}

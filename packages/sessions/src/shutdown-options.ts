import { InvalidConfigurationError } from '@agent-killswitch/core';
import { z } from 'zod';
import { killswitchFaults } from './killswitch-faults.ts';

const fn = <T>() => z.custom<T>((value) => typeof value === 'function', 'must be a function');

const schema = z.strictObject({
  /** How long agents are asked to end before they are killed, in milliseconds, up to an hour. 0: not at all. Default 5,000. */
  graceMs: z.number().int().min(0).max(3_600_000).default(5_000),
  /**
   * Closes what the service has besides: its HTTP server, its database. Called when the agents are dead and the killswitch is
   * closed, so until then the service still answers, and can be asked to kill. What it throws is a fault.
   */
  close: fn<() => unknown>().optional(),
  /** How long the killswitch, and then `close`, may take to close, in milliseconds. Default 5,000. */
  closeMs: z.number().int().min(1).max(3_600_000).default(5_000),
  /** Default SIGTERM and SIGINT. None: for a framework that handles them itself and calls `shutdown()`. */
  signals: z
    .array(z.enum(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2', 'SIGBREAK']))
    .default(['SIGTERM', 'SIGINT']),
  /** Ends the process. Default `process.exit`. */
  exit: fn<(code: number) => void>().default(() => (code: number) => process.exit(code)),
  /** Where a line for people goes. Default `console.error`. */
  log: fn<(line: string) => void>().default(() => (line: string) => console.error(line)),
});

export type ShutdownOptions = Readonly<z.input<typeof schema>>;
export type Settings = Readonly<z.output<typeof schema>>;

/** @throws InvalidConfigurationError listing every fault */
export function settingsOf(ks: unknown, options: ShutdownOptions): Settings {
  const parsed = schema.safeParse(options);
  const issues = parsed.success ? [] : parsed.error.issues;
  const faults = [
    ...killswitchFaults(ks),
    ...issues.map(({ path, message }) => `${path.join('.') || 'options'}: ${message}`),
  ];
  if (parsed.success && faults.length === 0) return parsed.data;
  throw new InvalidConfigurationError(faults.map((fault) => `installShutdownHandlers ${fault}`));
}

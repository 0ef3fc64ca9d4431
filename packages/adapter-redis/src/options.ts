import { InvalidConfigurationError } from '@agent-killswitch/core';

export interface RedisStateOptions {
  /**
   * What the names of all keys begin with, in braces, and of the channel: `{orchestrator}:agent:…`, `orchestrator:events`.
   * 1 to 100 of `A-Z a-z 0-9 . _ : @ | + = ~ / -`. Default `orchestrator` (REQUIREMENTS C2).
   */
  readonly prefix?: string;
  /** How much may wait for an answer, in bytes of what was sent; calls beyond it are refused. Default 16 MiB. */
  readonly maxPendingBytes?: number;
}

/** @throws InvalidConfigurationError listing every fault. */
export function settingsOf(options: RedisStateOptions): Required<RedisStateOptions> {
  const { prefix = 'orchestrator', maxPendingBytes = 16 * 2 ** 20 } = options;
  const issues: string[] = [];
  if (typeof prefix !== 'string' || /[{}]/.test(prefix)) {
    issues.push('prefix: must hold no brace: it is put in braces, so that all keys share one hash slot');
  } else if (!/^[A-Za-z0-9._:@|+=~/-]{1,100}$/.test(prefix)) {
    issues.push('prefix: must be 1 to 100 of A-Z a-z 0-9 . _ : @ | + = ~ / -');
  }
  if (!(Number.isSafeInteger(maxPendingBytes) && maxPendingBytes >= 65_536)) {
    issues.push('maxPendingBytes: must be a whole number of at least 65,536');
  }
  if (issues.length > 0) throw new InvalidConfigurationError(issues);
  return { prefix, maxPendingBytes };
}

import { join } from 'node:path';
import { InvalidConfigurationError, type Killswitch } from '@agent-killswitch/core';
import { fileDeadLetters, type Webhooks, webhooks } from '@agent-killswitch/webhooks';
import { type ServerConfig, ServerConfigError } from './config.ts';

/** Tells one receiver what goes on record, if there is one. @throws ServerConfigError */
export function webhookOf(ks: Killswitch, { webhook, stateDir }: ServerConfig): Webhooks | undefined {
  if (webhook === undefined) return undefined;
  const { url, secrets, networks } = webhook;
  try {
    return webhooks(ks, {
      endpoints: [{ url, secrets, networks, name: 'receiver' }],
      deadLetters: fileDeadLetters(join(stateDir, 'dead-letters.jsonl')),
    });
  } catch (error) {
    if (!(error instanceof InvalidConfigurationError)) throw error;
    const faults = error.issues.map((issue) => issue.replace(/^webhooks endpoints\.0\./, ''));
    throw new ServerConfigError(
      `Invalid WEBHOOK_URL, WEBHOOK_SECRET or WEBHOOK_NETWORKS: ${faults.join('; ')}`,
    );
  }
}

import { type AuditEventType, auditEventSchema } from '@agent-killswitch/core';

/** What a webhook can tell of: every kind of audit event, and the three of a killswitch that are no facts about agents. */
export type WebhookType = AuditEventType | 'audit.degraded' | 'audit.restored' | 'warning';

export const auditTypes: readonly AuditEventType[] = auditEventSchema.options.map(
  ({ shape }) => shape.type.value,
);
export const webhookTypes: readonly WebhookType[] = [
  ...auditTypes,
  'audit.degraded',
  'audit.restored',
  'warning',
];

export type { RetryOptions } from './backoff.ts';
export type { Resolve } from './connection.ts';
export { type DeadLetter, type DeadLetters, deadLetterSchema, memoryDeadLetters } from './dead-letters.ts';
export type { EndpointStatus } from './delivery.ts';
export { AddressRefusedError, DeadLettersError } from './errors.ts';
export { type WebhookType, webhookTypes } from './event-types.ts';
export { fileDeadLetters } from './file-dead-letters.ts';
export type { WebhookEndpoint, WebhooksOptions } from './options.ts';
export { type Webhooks, webhooks } from './webhooks.ts';

import { type AuditEvent, auditEventSchema, iso } from './audit-event.ts';
import { canonical } from './canonical.ts';
import { describeError } from './errors.ts';
import { idSchema } from './identifiers.ts';
import { factId } from './ids.ts';
import { sha256 } from './sha256.ts';

type Refused = Extract<AuditEvent, { type: 'audit.event-refused' }>;

const longestId = 400;

/**
 * What stands on record in place of an event that a sink will never take. The same for the same event, so that one told
 * again is not doubled (I4); and plain, so that no sink has a reason to refuse it.
 */
export function eventRefused(event: AuditEvent, error: unknown, now: number): Refused {
  const hash = sha256(textOf(event));
  const { id, type, time, hostId, workspaceId, orderId } = event as Partial<Record<keyof Refused, unknown>>;
  const isTime = auditEventSchema.options[0].shape.time.safeParse(time).success;
  const at = isTime ? Date.parse(time as string) : now;
  return {
    id: factId(at, `audit.event-refused:${hash}`),
    version: 1,
    time: iso(at),
    hostId: idSchema.safeParse(hostId).data ?? 'unknown',
    ...idAs('workspaceId', workspaceId),
    ...idAs('orderId', orderId),
    type: 'audit.event-refused',
    refusedId: describeError(id).slice(0, longestId) || 'none',
    refusedType: describeError(type).slice(0, longestId) || 'none',
    sha256: hash,
    error: describeError(error),
  };
}

function idAs<K extends 'workspaceId' | 'orderId'>(name: K, value: unknown): { [name in K]?: string } {
  const { data } = idSchema.safeParse(value);
  return (data === undefined ? {} : { [name]: data }) as { [name in K]?: string };
}

function textOf(event: AuditEvent): string {
  try {
    return canonical(event);
  } catch (error) {
    return describeError(error);
  }
}

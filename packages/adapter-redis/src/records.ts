import {
  type Agent,
  type Approval,
  agentSchema,
  approvalSchema,
  type Gate,
  gateSchema,
  type StopOrder,
  stopOrderSchema,
  type Task,
  taskSchema,
} from '@agent-killswitch/core';
import { recordVersion } from './envelope.ts';
import { StateRecordError, StateVersionError } from './errors.ts';
import type { Keys } from './keys.ts';
import { isPlainAgent } from './plain-agent.ts';

interface Schema<T> {
  safeParse(
    value: unknown,
  ): { success: true; data: T } | { success: false; error: { issues: readonly Issue[] } };
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** A record and when it was stored, for putting several in order. */
export interface Stored<T> {
  readonly seq: number;
  readonly record: T;
}

/** Turns what is stored into records, checking each. @throws StateRecordError, StateVersionError. */
export class Records {
  private readonly keys: Keys;

  constructor(keys: Keys) {
    this.keys = keys;
  }

  agent(agentId: string, raw: string): Stored<Agent> {
    const key = this.keys.agent(agentId);
    const stored = read(key, raw, 'agent', agentSchema, (agent) => agent.agentId, agentId, isPlainAgent);
    const { revision, status } = stored.envelope;
    if (revision !== stored.record.revision || status !== stored.record.status)
      throw new StateRecordError(key, 'its beginning belongs to another revision');
    return stored;
  }

  task(taskId: string, raw: string): Task {
    return read(this.keys.task(taskId), raw, 'task', taskSchema, (task) => task.taskId, taskId).record;
  }

  order(orderId: string, raw: string): StopOrder {
    const key = `${this.keys.orders} ${orderId}`;
    const stored = read(key, raw, 'order', stopOrderSchema, (order) => order.orderId, orderId);
    if (stored.envelope.revision !== stored.record.revision)
      throw new StateRecordError(key, 'its beginning belongs to another revision');
    return stored.record;
  }

  gate(orderId: string, raw: string): Stored<Gate> {
    const key = `${this.keys.gates} ${orderId}`;
    return read(key, raw, 'gate', gateSchema, (gate) => gate.orderId, orderId);
  }

  approval(field: string, raw: string): Stored<Approval> {
    const idsOf = (approval: Approval) => `${approval.orderIds.join(' ')}\n${approval.principal.id}`;
    return read(`${this.keys.approvals} ${field}`, raw, 'approval', approvalSchema, idsOf, field);
  }
}

interface Envelope {
  readonly seq: unknown;
  readonly revision: unknown;
  readonly status: unknown;
}

function read<T>(
  key: string,
  raw: string | null,
  name: string,
  schema: Schema<T>,
  idOf: (record: T) => string,
  id: string,
  isPlain: (value: unknown) => value is T = asksSchema,
): Stored<T> & { readonly envelope: Envelope } {
  if (raw === null || raw === '') throw new StateRecordError(key, 'it is missing, or of another type');
  let value: unknown;
  try {
    value = JSON.parse(raw);
  } catch {
    throw new StateRecordError(key, 'it is not JSON');
  }
  const envelope = (typeof value === 'object' && value !== null ? value : {}) as Envelope & {
    readonly v?: unknown;
    readonly [name: string]: unknown;
  };
  const { v, seq } = envelope;
  if (typeof v === 'number' && v > recordVersion) throw new StateVersionError(key, v);
  if (v !== recordVersion) throw new StateRecordError(key, `it is no record of version ${recordVersion}`);
  const record = envelope[name];
  const parsed = isPlain(record) ? { success: true as const, data: record } : schema.safeParse(record);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new StateRecordError(
      key,
      `${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? 'invalid'}`,
    );
  }
  if (idOf(parsed.data) !== id) throw new StateRecordError(key, `it is the record of "${idOf(parsed.data)}"`);
  return { seq: typeof seq === 'number' ? seq : 0, record: parsed.data, envelope };
}

function asksSchema<T>(_: unknown): _ is T {
  return false;
}

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
import { StateRecordError } from './errors.ts';
import type { RecordRow } from './statements.ts';

interface Schema<T> {
  safeParse(
    value: unknown,
  ): { success: true; data: T } | { success: false; error: { issues: readonly Issue[] } };
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Turns rows of one file into records, checking each. */
export class Records {
  private readonly file: string;

  constructor(file: string) {
    this.file = file;
  }

  agent(row: RecordRow): Agent {
    return this.read('agents', row, agentSchema, (agent) => agent.agentId);
  }

  task(row: RecordRow): Task {
    return this.read('tasks', row, taskSchema, (task) => task.taskId);
  }

  order(row: RecordRow): StopOrder {
    return this.read('orders', row, stopOrderSchema, (order) => order.orderId);
  }

  approval(row: RecordRow): Approval {
    return this.read('approvals', row, approvalSchema, (approval) => approval.principal.id);
  }

  gate(row: RecordRow): Gate {
    return this.read('gates', row, gateSchema, (gate) => gate.orderId);
  }

  /** @throws StateRecordError */
  private read<T>(table: string, row: RecordRow, schema: Schema<T>, idOf: (record: T) => string): T {
    const fail = (fault: string) => new StateRecordError(this.file, table, row.id, fault);
    let value: unknown;
    try {
      value = JSON.parse(row.record);
    } catch {
      throw fail('it is not JSON');
    }
    const parsed = schema.safeParse(value);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw fail(`${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? 'invalid'}`);
    }
    if (idOf(parsed.data) !== row.id) throw fail(`it is the record of "${idOf(parsed.data)}"`);
    return parsed.data;
  }
}

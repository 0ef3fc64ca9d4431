import type { DeliberateBug } from './deliberate-bug.ts';

export const records: readonly DeliberateBug[] = [
  {
    name: 'a batch that the sink rejects is lost',
    invariant: 'I4',
    noticedBy: 'core/src/recorder.test.ts',
    edits: [
      {
        file: 'recorder.ts',
        from: '        this.#degrade(describeError(error));\n',
        to: '        this.#degrade(describeError(error));\n        this.#waiting.remove(batch);\n',
      },
    ],
  },
  {
    name: 'the record of an outage is kept without bounds',
    invariant: 'I12',
    noticedBy: 'core/src/recorder.test.ts',
    edits: [{ file: 'waiting-facts.ts', from: 'all: 10_000,', to: 'all: 1e9,' }],
  },
  {
    name: 'a stop that is pressed again while the store is out is a stop of its own each time',
    invariant: 'I12',
    noticedBy: 'core/src/placing.test.ts',
    edits: [
      {
        file: 'placing.ts',
        from: 'const unplaced = this.#host.unplaced(order);',
        to: 'const unplaced = undefined;',
      },
      {
        file: 'placing.ts',
        from: 'const here = this.#host.unplaced(turn.order);',
        to: 'const here = undefined;',
      },
    ],
  },
  {
    name: 'a kill told again has another id',
    invariant: 'I4',
    noticedBy: 'core/src/races.test.ts > one kill is one event',
    edits: [
      {
        file: 'audit-facts.ts',
        from: 'factId(agent.spawnedAt, `${outcome.type}:${agent.agentId}`)',
        to: 'factId(kill.requestedAt, `${outcome.type}:${hostId}:${agent.agentId}`)',
      },
    ],
  },
  {
    name: 'an order is settled before that is on record',
    invariant: 'I4',
    noticedBy: 'core/src/settlement.test.ts',
    edits: [
      {
        file: 'settlement.ts',
        from: 'if (settledAt === undefined || !(await recorder.flush(durableMs))) return false;',
        to: 'void recorder;\n    if (settledAt === undefined) return false;',
      },
    ],
  },
  {
    name: 'a crash takes the request of an open order off the record',
    invariant: 'I4',
    noticedBy: 'core/src/recovery.test.ts',
    edits: [
      {
        file: 'order-record.ts',
        from: '      this.add(orderRequested(order, hostId));\n',
        to: '',
      },
    ],
  },
  {
    name: 'a denial is not on record',
    invariant: 'I4',
    noticedBy: 'core/src/killswitch.test.ts',
    edits: [{ file: 'guard.ts', from: '    this.#recordDenial(request, decision, reason);\n', to: '' }],
  },
  {
    name: 'the cleanup ends with its first step that fails',
    invariant: 'I5',
    noticedBy: 'core/src/killswitch.test.ts',
    edits: [
      {
        file: 'cleanup.ts',
        from: '      ledger.push(result);\n      if (isNews',
        to: "      ledger.push(result);\n      if (result.status === 'failed') break;\n      if (isNews",
      },
    ],
  },
  {
    name: 'a cleanup step that has failed is never tried again',
    invariant: 'I4',
    noticedBy: 'core/src/cleanup-again.test.ts',
    edits: [
      {
        file: 'agent.ts',
        from: "status === 'pending' || retryAt !== undefined)",
        to: "status === 'pending' || (retryAt ?? 0) < 0)",
      },
    ],
  },
  {
    name: 'a record is chained to itself and not to the one before it',
    invariant: 'I4',
    noticedBy: 'core/src/audit-chain.test.ts',
    edits: [
      {
        file: 'audit-chain.ts',
        from: 'const prev = last?.hash ?? genesisHash;',
        to: 'const prev = genesisHash;',
      },
    ],
  },
];

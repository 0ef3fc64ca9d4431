import type { DeliberateBug } from './deliberate-bug.ts';

export const gates: readonly DeliberateBug[] = [
  {
    name: 'a gate is checked before an await',
    invariant: 'I1',
    noticedBy: 'conformance/src/state-store.test.ts',
    edits: [
      {
        file: 'memory/memory-state.ts',
        from: "    if (this.agents.has(agent.agentId)) return { result: 'exists' };\n",
        to: "    await new Promise((resolve) => queueMicrotask(() => resolve(undefined)));\n    if (this.agents.has(agent.agentId)) return { result: 'exists' };\n",
      },
    ],
  },
  {
    name: 'the gate is looked at by the host, and not in the step that admits',
    invariant: 'I1',
    noticedBy: 'core/src/interleavings.test.ts > emergency stop',
    edits: [
      {
        file: 'memory/memory-state.ts',
        from: "    if (gate !== undefined) return { result: 'gated', gate };\n",
        to: "    if (gate?.opens === 'never-ever') return { result: 'gated', gate };\n",
      },
      {
        file: 'admissions.ts',
        from: '    const barring = stops.barring(agent);\n',
        to: "    const barring = stops.barring(agent);\n    for (const gate of await book.ask('gates', (store) => store.listGates()))\n      if (scopeKeysOf(agent).includes(scopeKey(gate.scope))) throw new GateClosedError(gate);\n",
      },
      {
        file: 'admissions.ts',
        from: "import { isSeenDead } from './review.ts';\n",
        to: "import { isSeenDead } from './review.ts';\nimport { scopeKey, scopeKeysOf } from './scope.ts';\n",
      },
    ],
  },
  {
    name: 'the gate of an emergency stop opens when it has settled',
    invariant: 'I9',
    noticedBy: 'core/src/killswitch.test.ts',
    edits: [
      {
        file: 'memory/memory-gates.ts',
        from: "gate?.opens === 'at-settle'",
        to: "gate?.opens !== 'never'",
      },
    ],
  },
  {
    name: 'a gate that cannot be read lets everybody in',
    invariant: 'I10',
    noticedBy: 'core/src/killswitch.test.ts',
    edits: [
      {
        file: 'admissions.ts',
        from: '        this.#doubtful.add(agent);\n      }\n      throw error;\n',
        to: '        this.#doubtful.add(agent);\n      } else throw error;\n',
      },
    ],
  },
  {
    name: 'a stop bars an agent and not its descendants',
    invariant: 'I1',
    noticedBy: 'core/src/killswitch.test.ts',
    edits: [
      {
        file: 'scope.ts',
        from: '    ...member.lineage.map((ancestor) => `agent:${ancestor}`),\n',
        to: '',
      },
    ],
  },
  {
    name: 'one person approves a release twice',
    invariant: 'I9',
    noticedBy: 'conformance/src/state-store.test.ts',
    edits: [
      {
        file: 'memory/memory-state.ts',
        from: 'if (given.some(({ principal }) => principal.id === approval.principal.id)) return given;',
        to: '',
      },
    ],
  },
  {
    name: 'a released order claims whoever comes later',
    invariant: 'I9',
    noticedBy: 'core/src/races.test.ts',
    edits: [
      {
        file: 'sweep.ts',
        from: 'now.released === undefined ? agents : agents.filter((agent) => isUnder(agent, orderId))',
        to: 'agents',
      },
    ],
  },
  {
    name: 'a release opens the gate of a stop that is on its way on the same host',
    invariant: 'I9',
    noticedBy: 'core/src/crossing-releases.test.ts',
    edits: [
      {
        file: 'releases.ts',
        from: 'await Promise.all(gates.map(({ orderId }) => this.#host.stops.through(orderId)));',
        to: '',
      },
    ],
  },
  {
    name: 'a release leaves alive whom the stop had not claimed yet',
    invariant: 'I1',
    noticedBy: 'core/src/interleavings.test.ts > emergency stop',
    edits: [
      {
        file: 'releases.ts',
        from: '      if (order.settledAt === undefined) await claimAll(book, order);\n',
        to: '',
      },
    ],
  },
  {
    name: 'a host that shuts down lets in whoever was on the way when its stop had passed by',
    invariant: 'I1',
    noticedBy: 'core/src/shutdown.test.ts',
    edits: [
      {
        file: 'admissions.ts',
        from: '    if (this.#bar !== undefined) {\n',
        to: '    if (false) {\n',
      },
    ],
  },
];

import type { DeliberateBug } from './deliberate-bug.ts';

export const claims: readonly DeliberateBug[] = [
  {
    name: 'a completion overwrites a claim',
    invariant: 'I2',
    noticedBy: 'core/src/lifecycle.test.ts',
    edits: [
      {
        file: 'lifecycle.ts',
        from: "    case 'running': {\n      if",
        to: "    case 'running':\n    case 'killing': {\n      if",
      },
    ],
  },
  {
    name: 'a claim is stored over whatever came in between',
    invariant: 'I2',
    noticedBy: 'conformance/src/state-store.test.ts',
    edits: [
      {
        file: 'memory/memory-agents.ts',
        from: 'stored?.revision !== next.revision - 1',
        to: 'stored === undefined',
      },
    ],
  },
  {
    name: 'a handle that comes after the death is left alone',
    invariant: 'I1',
    noticedBy: 'core/src/lifecycle.test.ts',
    edits: [
      {
        file: 'lifecycle.ts',
        from: "return [agent, [{ type: 'destroy', handles: event.handles }]];",
        to: 'return [agent, []];',
      },
    ],
  },
  {
    name: 'a death is believed although a handle has come that nobody looked at',
    invariant: 'I3',
    noticedBy: 'core/src/lifecycle.test.ts',
    edits: [
      {
        file: 'lifecycle.ts',
        from: "    if (agent.handles.length > event.handles) return [agent, [{ type: 'pursue' }]];\n",
        to: '',
      },
    ],
  },
  {
    name: 'an agent that has ended is over although its descendants live',
    invariant: 'I1',
    noticedBy: 'core/src/killswitch.test.ts',
    edits: [
      {
        file: 'admissions.ts',
        from: "if (agent.status === 'running' && !(await isSeenDead(this.#host, agent, agent.handles))) {\n      this",
        to: 'if (false) {\n      this',
      },
    ],
  },
  {
    name: 'a listing is read to the end of its first page only',
    invariant: 'I4',
    noticedBy: 'core/src/sweep.test.ts',
    edits: [{ file: 'pages.ts', from: '  } while (cursor !== undefined);', to: '  } while (false);' }],
  },
  {
    name: 'no second look after the sweep',
    invariant: 'I1',
    noticedBy: 'core/src/killswitch.test.ts',
    edits: [
      {
        file: 'looks.ts',
        from: '    await this.#kills.refreshUnseen(seen);\n    return seen.size;',
        to: '    await this.#kills.refreshUnseen(seen);\n    return 0;',
      },
      {
        file: 'settlement.ts',
        from: "        if (agent.status !== 'killed') return undefined;\n",
        to: "        if (agent.status !== 'killed') continue;\n",
      },
    ],
  },
  {
    name: 'an order settles although somebody whom it has claimed lives',
    invariant: 'I1',
    noticedBy: 'core/src/settlement.test.ts',
    edits: [
      {
        file: 'settlement.ts',
        from: "        if (agent.status !== 'killed') return undefined;\n",
        to: "        if (agent.status !== 'killed') continue;\n",
      },
    ],
  },
];

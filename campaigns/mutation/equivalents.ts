/** Mutants that do what the original does as far as anybody outside can see, so that no test can tell the two apart. */
export interface Equivalent {
  /** Path below `packages/core/src`. */
  readonly file: string;
  /** What its line contains. */
  readonly text: string;
  /** What is replaced by what. */
  readonly changes: ReadonlyArray<readonly [from: string, to: string]>;
  readonly reason: string;
}

const cache = 'a cache of the order of members: without it, or with more in it, the text is the same';

export const equivalents: readonly Equivalent[] = [
  {
    file: 'sweep.ts',
    text: 'if (at > 0) await turns.give();',
    changes: [
      ['at > 0', 'true'],
      ['>', '>='],
      ['0', '1'],
    ],
    reason: 'at most one turn more for others, before the first claim',
  },
  {
    file: 'canonical.ts',
    text: 'const most = {',
    changes: [
      ['1_000', '0'],
      ['16', '0'],
      ['64', '0'],
    ],
    reason: cache,
  },
  {
    file: 'canonical.ts',
    text: 'shapes.get',
    changes: [['shapes.get(keys.length) ?? []', '[]']],
    reason: cache,
  },
  {
    file: 'canonical.ts',
    text: 'if (isSame(shape.keys, keys)) return shape',
    changes: [['isSame(shape.keys, keys)', 'false']],
    reason: cache,
  },
  {
    file: 'canonical.ts',
    text: 'if (keys.length <= most.members',
    changes: [
      ["keys.length <= most.members && keys.join('').length <= most.nameUnits", 'true'],
      ["keys.length <= most.members && keys.join('').length <= most.nameUnits", 'false'],
      ['&&', '||'],
      ['<=', '<'],
      ['<=', '>'],
      ["''", "'x'"],
    ],
    reason: cache,
  },
  {
    file: 'canonical.ts',
    text: 'shapes.set(',
    changes: [
      ['shapes.set(keys.length, [shape, ...alike].slice(0, most.shapesAlike));', ';'],
      ['[shape, ...alike].slice(0, most.shapesAlike)', '[shape, ...alike]'],
      ['[shape, ...alike]', '[]'],
      ['0', '1'],
    ],
    reason: cache,
  },
  {
    file: 'canonical.ts',
    text: 'if (a[i] !== b[i]) return false',
    changes: [
      ['<', '<='],
      ['a[i] !== b[i]', 'true'],
    ],
    reason: 'compares one past both ends, which are equally undefined; or finds nothing in the cache',
  },
  {
    file: 'canonical.ts',
    text: 'return true;',
    changes: [
      ['return true;', 'return undefined as never;'],
      ['true', 'false'],
    ],
    reason: cache,
  },
  {
    file: 'canonical.ts',
    text: 'toEscape.test(text)',
    changes: [['toEscape.test(text)', 'true']],
    reason: 'JSON.stringify writes what needs no escape between quotes, too',
  },
  {
    file: 'canonical.ts',
    text: 'for (let i = 0; i < names.length; i++)',
    changes: [['<', '<=']],
    reason: 'one past the end there is no member, and what is undefined is left out',
  },
  {
    file: 'canonical.ts',
    text: 'return a < b ? -1 : 1;',
    changes: [
      ['<', '<='],
      ['1', '0'],
    ],
    reason:
      'no two members of an object have one name; and a sort that is told "equal" leaves the larger one behind',
  },
  {
    file: 'role-policy.ts',
    text: '.min(1)',
    changes: [['1', '0']],
    reason: 'checks a table that stands a few lines below it and has no empty list',
  },
  {
    file: 'lifecycle.ts',
    text: 'if (agent.handles.length > 0) return',
    changes: [
      ['agent.handles.length > 0', 'false'],
      ['0', '1'],
    ],
    reason: 'what falls through is pursued all the same: more handles than the 0 that were looked at',
  },
  {
    file: 'lifecycle.ts',
    text: 'handles: 0,',
    changes: [['0', '1']],
    reason: 'only an agent without handles comes by here',
  },
  {
    file: 'lifecycle.ts',
    text: 'if (errors.length > 0) kill.errors',
    changes: [
      ['errors.length > 0', 'true'],
      ['>', '>='],
    ],
    reason: 'without new errors the old ones stay as they are',
  },
  {
    file: 'sweep.ts',
    text: 'ahead.add(agent.agentId);',
    changes: [['!book.isTold(agent.agentId)', 'true']],
    reason: 'whoever is told already is left out of what is left in the end',
  },
  {
    file: 'sweep.ts',
    text: 'if (ahead.size === 0) return;',
    changes: [
      ['return;', ';'],
      ['ahead.size === 0', 'false'],
    ],
    reason: 'spares a look at what is left to tell, which is nothing',
  },
  {
    file: 'unanswered.ts',
    text: 'if (calls.count === 0) this.#calls.delete(kind);',
    changes: [
      ['this.#calls.delete(kind);', ';'],
      ['calls.count === 0', 'false'],
      ['0', '1'],
    ],
    reason: 'who is forgotten has no call under way: a new one counts from there just the same',
  },
  {
    file: 'stop-run.ts',
    text: "if (!events.hasListener('step')) return;",
    changes: [
      ['return;', ';'],
      ["!events.hasListener('step')", 'false'],
    ],
    reason: 'spares the making of what nobody would hear',
  },
  {
    file: 'looks.ts',
    text: 'if (this.#order.isSettled) return 0;',
    changes: [
      ['return 0;', 'return undefined as never;'],
      ['this.#order.isSettled', 'false'],
      ['0', '1'],
    ],
    reason:
      'of an order that has settled nobody asks how many live, and it has those looked for who are pursued',
  },
  {
    file: 'kills.ts',
    text: "if (before.status !== 'killing') return true;",
    changes: [["before.status !== 'killing'", 'false']],
    reason: 'whoever was claimed just now is under this order first, and was not met before',
  },
  {
    file: 'kills.ts',
    text: 'if (signalledAt !== undefined) pursuit.wasSignalled',
    changes: [['signalledAt !== undefined', 'true']],
    reason: 'that it was told to die at no time says nothing',
  },
  {
    file: 'placing.ts',
    text: 'if (here !== undefined) return here;',
    changes: [['return here;', 'return undefined as never;']],
    reason: 'nobody asks in which run a turn goes on that has found one to join',
  },
  {
    file: 'volley.ts',
    text: 'cancel();',
    changes: [['cancel();', ';']],
    reason: 'ends a timer of 10 ms that would wake nobody any more',
  },
  {
    file: 'volley.ts',
    text: 'rest.clear();',
    changes: [['rest.clear();', ';']],
    reason: 'lets go of agents early; whoever is felled after the end is handed on by nobody in any case',
  },
  {
    file: 'flushes.ts',
    text: 'this.#open.delete(flush);',
    changes: [['this.#open.delete(flush);', ';']],
    reason: 'lets go of a flush early; told again later it has been answered already',
  },
];

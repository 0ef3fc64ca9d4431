import type { DeliberateBug } from './deliberate-bug.ts';

export const deaths: readonly DeliberateBug[] = [
  {
    name: 'the success of a kill is taken for death',
    invariant: 'I3',
    noticedBy: 'core/src/killswitch.test.ts',
    edits: [
      {
        file: 'volley.ts',
        from: 'const seen: Observation = await runtime.inspect(handle, context);',
        to: "const seen: Observation = { state: 'dead', evidence: 'it was told to die' };",
      },
    ],
  },
  {
    name: 'who cannot be seen is dead',
    invariant: 'I3',
    noticedBy: 'core/src/pursuit.test.ts',
    edits: [
      {
        file: 'pursuit.ts',
        from: "if (seen.state === 'dead') await",
        to: "if (seen.state !== 'alive') await",
      },
    ],
  },
  {
    name: 'one route that sees it dead outweighs one that sees it alive',
    invariant: 'I3',
    noticedBy: 'core/src/pursuit.test.ts',
    edits: [
      {
        file: 'route.ts',
        from: "const alive = seen.find((each) => each.state === 'alive');",
        to: "const alive = seen.some((each) => each.state === 'dead') ? undefined : seen.find((each) => each.state === 'alive');",
      },
    ],
  },
  {
    name: 'whoever is not seen dead at the deadline is given up',
    invariant: 'I1',
    noticedBy: 'core/src/killswitch.test.ts',
    edits: [
      {
        file: 'pursuit.ts',
        from: '        if (isOver(this.#agent)) return this.#agent;\n      } catch',
        to: "        if (isOver(this.#agent) || ('kill' in this.#agent && this.#agent.kill.unconfirmedAt !== undefined)) return this.#agent;\n      } catch",
      },
    ],
  },
  {
    name: 'whoever lives at the deadline is stored as killed',
    invariant: 'I3',
    noticedBy: 'core/src/killswitch.test.ts',
    edits: [
      {
        file: 'pursuit.ts',
        from: "await this.#store({ type: 'unconfirmed', at, progress: this.#progress(), evidence });",
        to: "await this.#store({ type: 'confirmed', at, progress: this.#progress(), evidence, handles: 16 });",
      },
    ],
  },
  {
    name: 'a runtime that hangs is waited for',
    invariant: 'I5',
    noticedBy: 'core/src/pursuit.test.ts',
    edits: [
      {
        file: 'route.ts',
        from: '`${kind} by ${this.handle.runtime}`, ms, (signal)',
        to: '`${kind} by ${this.handle.runtime}`, ms * 1_000, (signal)',
      },
    ],
  },
  {
    name: 'without the store nobody is killed',
    invariant: 'I6',
    noticedBy: 'core/src/killswitch.test.ts',
    edits: [
      {
        file: 'stop-run.ts',
        from: '        this.#looks.here();',
        to: "        this.step('placed');",
      },
    ],
  },
];

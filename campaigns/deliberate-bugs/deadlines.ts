import type { DeliberateBug } from './deliberate-bug.ts';

export const deadlines: readonly DeliberateBug[] = [
  {
    name: 'a deadline begins anew when an order is resumed',
    invariant: 'I1',
    noticedBy: 'core/src/recovery.test.ts',
    edits: [
      {
        file: 'stop-run.ts',
        from: "      order,\n      beginning !== 'unplaced',\n    );\n",
        to: "      order,\n      beginning !== 'unplaced',\n    );\n    const late = beginning === 'found' ? host.clock.now() - order.requestedAt : 0;\n    this.#order.become({ ...order, forceAt: order.forceAt + late, deadlineAt: order.deadlineAt + late });\n",
      },
    ],
  },
  {
    name: 'a report goes by the store alone for whoever is being told to die',
    invariant: 'I1',
    noticedBy: 'core/src/kills.test.ts',
    edits: [
      {
        file: 'kills.ts',
        from: 'new Map<string, Agent>(this.#targeted)',
        to: 'new Map<string, Agent>()',
      },
    ],
  },
  {
    name: 'who joins a stop puts off its deadline',
    invariant: 'I7',
    noticedBy: 'core/src/killswitch.test.ts',
    edits: [
      {
        file: 'place-order.ts',
        from: '...nearest(order, by)',
        to: 'killAt: by.killAt, forceAt: by.forceAt, deadlineAt: by.deadlineAt',
      },
      { file: 'place-order.ts', from: 'if (!isReleasable && !isHarder(next, order)) return order;', to: '' },
    ],
  },
  {
    name: 'a kill does not end the grace of a stop under way',
    invariant: 'I7',
    noticedBy: 'core/src/killswitch.test.ts',
    edits: [
      {
        file: 'urgency.ts',
        from: 'killAt: Math.min(a.killAt, b.killAt)',
        to: 'killAt: Math.max(a.killAt, b.killAt)',
      },
    ],
  },
  {
    name: 'a listener is awaited',
    invariant: 'I5',
    noticedBy: 'core/src/killswitch.test.ts',
    edits: [
      {
        file: 'events.ts',
        from: '  readonly #emitter = new EventEmitter();\n',
        to: '  readonly #emitter = new EventEmitter();\n  heard: Promise<unknown> = Promise.resolve();\n',
      },
      {
        file: 'events.ts',
        from: 'if (result instanceof Promise) result.catch(() => this.#blame(name));',
        to: 'if (result instanceof Promise) this.heard = result.catch(() => this.#blame(name));',
      },
      {
        file: 'placing.ts',
        from: "    await recorder.flush(recordMs);\n    this.#step('requested', order);\n",
        to: "    await recorder.flush(recordMs);\n    await this.#host.events.heard;\n    this.#step('requested', order);\n",
      },
    ],
  },
  {
    name: 'a listener that throws breaks the stop',
    invariant: 'I5',
    noticedBy: 'core/src/killswitch.test.ts',
    edits: [
      {
        file: 'events.ts',
        from: '      } catch {\n        this.#blame(name);\n',
        to: '      } catch (error) {\n        throw error;\n',
      },
    ],
  },
  {
    name: 'a listener can change what is told to it',
    invariant: 'I5',
    noticedBy: 'core/src/contained.test.ts',
    edits: [{ file: 'events.ts', from: 'structuredClone(event)', to: 'event' }],
  },
  {
    name: 'a kill waits until its request is on record',
    invariant: 'I5',
    noticedBy: 'core/src/killswitch.test.ts',
    edits: [{ file: 'placing.ts', from: 'const recordMs = 100;', to: 'const recordMs = 60_000;' }],
  },
  {
    name: 'whoever joins an overdue stop, and waits, is answered before anybody has looked',
    invariant: 'I1',
    noticedBy: 'core/src/settlement.test.ts > once this host has looked',
    edits: [
      {
        file: 'requests.ts',
        from: 'await this.#until(latest, run.looked);',
        to: 'if (waitMs === undefined) await this.#until(latest, run.looked);',
      },
    ],
  },
  {
    name: 'a runtime that never answers is asked again and again',
    invariant: 'I12',
    noticedBy: 'core/src/review.test.ts',
    edits: [{ file: 'unanswered.ts', from: 'const most = 3;', to: 'const most = 3_000;' }],
  },
];

import type { Clock } from '@agent-killswitch/core';
import { type Clause, expectThat } from './clause.ts';
import { closing } from './within.ts';

/** How the suite gets at the clock under test and lets its time pass. */
export interface ClockFactory {
  open(): Promise<Clock>;
  /** Resolves when at least `ms` milliseconds of the latest clock's time have passed and what was due has fired. */
  advance(ms: number): Promise<void>;
  close?(): Promise<void>;
}
export type ClockClause = Clause<ClockFactory>;

/** How much earlier than asked for a timer may seem to fire, since `now` and real timers round differently. */
const roundingMs = 2;

/** Every promise of the `Clock` port. The clauses of a real clock take about a second together. */
export const clockClauses: readonly ClockClause[] = [
  closing('now is whole milliseconds since the Unix epoch', async (factory: ClockFactory) => {
    const clock = await factory.open();
    for (let look = 0; look < 10; look += 1) {
      const now = clock.now();
      expectThat(Number.isSafeInteger(now) && now >= 0, `now is whole milliseconds, not ${now}`);
      await factory.advance(1);
    }
  }),

  closing('now goes on with the time that passes, and never back', async (factory: ClockFactory) => {
    const clock = await factory.open();
    const start = clock.now();
    let last = start;
    for (let step = 1; step <= 5; step += 1) {
      await factory.advance(20);
      const now = clock.now();
      expectThat(now >= last, `now never goes back, from ${last} to ${now}`);
      const passed = now - start;
      expectThat(passed >= step * (20 - roundingMs), `${step * 20} ms have passed, not ${passed}`);
      last = now;
    }
  }),

  closing('a timer fires once, not before its time', async (factory: ClockFactory) => {
    const clock = await factory.open();
    const due = clock.now() + 30;
    const fired: number[] = [];
    clock.setTimer(30, () => fired.push(clock.now()));
    const early = fired.length;
    expectThat(early === 0, 'a timer does not fire within setTimer');
    await factory.advance(60);
    await factory.advance(60);
    expectThat(fired.length === 1, `a timer fires once, not ${fired.length} times`);
    const [at = 0] = fired;
    expectThat(at >= due - roundingMs, `a timer due at ${due} does not fire at ${at}`);
  }),

  closing('a timer of 0 ms fires soon, after setTimer has returned', async (factory: ClockFactory) => {
    const clock = await factory.open();
    let fired = false;
    clock.setTimer(0, () => {
      fired = true;
    });
    expectThat(!fired, 'a timer of 0 ms does not fire within setTimer');
    await factory.advance(20);
    expectThat(fired, 'a timer of 0 ms fires');
  }),

  closing('a cancelled timer never fires, and the others do', async (factory: ClockFactory) => {
    const clock = await factory.open();
    const fired: string[] = [];
    clock.setTimer(10, () => fired.push('before'));
    const cancel = clock.setTimer(10, () => fired.push('cancelled'));
    clock.setTimer(10, () => fired.push('after'));
    cancel();
    await factory.advance(40);
    expectThat(fired.join() === 'before,after', `the others fire, in their order, not [${fired.join()}]`);
  }),

  closing('a cancel that comes late or again does nothing', async (factory: ClockFactory) => {
    const clock = await factory.open();
    const fired: string[] = [];
    const late = clock.setTimer(5, () => fired.push('first'));
    await factory.advance(30);
    clock.setTimer(10, () => fired.push('second'));
    late();
    late();
    await factory.advance(40);
    expectThat(fired.join() === 'first,second', `a late cancel ends no other timer, not [${fired.join()}]`);
  }),

  closing('timers fire in the order of their times', async (factory: ClockFactory) => {
    const clock = await factory.open();
    const fired: number[] = [];
    for (const ms of [60, 20, 40, 0]) clock.setTimer(ms, () => fired.push(ms));
    await factory.advance(100);
    expectThat(
      fired.join() === '0,20,40,60',
      `timers fire in the order of their times, not [${fired.join()}]`,
    );
  }),

  closing('a timer may set another one', async (factory: ClockFactory) => {
    const clock = await factory.open();
    const start = clock.now();
    const fired: number[] = [];
    const again = (left: number): void => {
      fired.push(clock.now() - start);
      if (left > 0) clock.setTimer(10, () => again(left - 1));
    };
    clock.setTimer(10, () => again(2));
    // One after the other, since a machine under load may be late with each.
    for (let wait = 0; wait < 50 && fired.length < 3; wait += 1) await factory.advance(20);
    expectThat(fired.length === 3, `each timer sets the next one: 3 fire, not ${fired.length}`);
    const [, , third = 0] = fired;
    expectThat(third >= 3 * (10 - roundingMs), `the third fires after 30 ms, not ${third}`);
  }),
];

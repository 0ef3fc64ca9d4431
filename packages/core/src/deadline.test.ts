import { expect, it } from 'vitest';
import { withDeadline } from './deadline.ts';
import { manualClock } from './memory/manual-clock.ts';

const hang = (): Promise<never> => new Promise(() => undefined);

it.each([0, -1])('does not begin what has %i ms left', async (ms) => {
  let isBegun = false;
  const work = withDeadline(manualClock(), 'the work', ms, () => {
    isBegun = true;
  });
  await expect(work).rejects.toMatchObject({ code: 'deadline', message: 'the work: no time left' });
  expect(isBegun).toBe(false);
});

it('ends at the deadline, not before, and tells the work so', async () => {
  const clock = manualClock();
  let signal: AbortSignal | undefined;
  let error: unknown;
  withDeadline(clock, 'the work', 50, (given) => {
    signal = given;
    return hang();
  }).catch((caught: unknown) => {
    error = caught;
  });
  await clock.advance(49);
  expect([error, signal?.aborted]).toEqual([undefined, false]);
  await clock.advance(1);
  expect(error).toMatchObject({ code: 'deadline', message: 'the work did not answer within 50 ms' });
  expect(signal?.reason).toBe(error);
});

it('names the deadline also to work that takes no signal, and passes on that nothing was answered', async () => {
  const clock = manualClock();
  const late = expect(withDeadline(clock, 'the work', 50, hang)).rejects.toMatchObject({ code: 'deadline' });
  await clock.advance(50);
  await late;
  expect(await withDeadline(clock, 'the work', 50, () => undefined)).toBe(undefined);
});

it('passes on what the work answers or throws, at once, and leaves no timer behind', async () => {
  let timers = 0;
  const real = manualClock();
  const clock = {
    now: real.now,
    setTimer: (ms: number, fire: () => void) => {
      timers += 1;
      const cancel = real.setTimer(ms, fire);
      return () => {
        timers -= 1;
        cancel();
      };
    },
  };
  expect(await withDeadline(clock, 'x', 1, () => 7)).toBe(7);
  const refuse = (): never => {
    throw new Error('no');
  };
  await expect(withDeadline(clock, 'x', 1, refuse)).rejects.toThrow('no');
  await expect(withDeadline(clock, 'x', 1, () => Promise.reject(undefined))).rejects.toBe(undefined);
  expect(timers).toBe(0);
});

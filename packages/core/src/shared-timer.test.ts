import { describe, expect, it } from 'vitest';
import { manualClock } from './memory/manual-clock.ts';
import type { Clock } from './ports/clock.ts';
import { SharedTimer } from './shared-timer.ts';

/** A clock that says how many timers are set, and how many ever were. */
function counted() {
  const clock = manualClock();
  const timers = { set: 0, ever: 0 };
  const counting: Clock = {
    now: clock.now,
    setTimer(ms, fire) {
      timers.set += 1;
      timers.ever += 1;
      let isSet = true;
      const end = (): void => {
        if (isSet) timers.set -= 1;
        isSet = false;
      };
      const cancel = clock.setTimer(ms, () => {
        end();
        fire();
      });
      return () => {
        end();
        cancel();
      };
    },
  };
  return { clock, timers, timer: new SharedTimer(counting, 100) };
}

describe('deadlines that share timers', () => {
  it('pass in time, each once, whenever they began', async () => {
    const { clock, timers, timer } = counted();
    const late: string[] = [];
    timer.begin(() => late.push('a'));
    timer.begin(() => late.push('b'));
    await clock.advance(1);
    timer.begin(() => late.push('c'));
    expect(timers).toEqual({ set: 2, ever: 2 });
    await clock.advance(98);
    expect(late).toEqual([]);
    await clock.advance(1);
    expect(late).toEqual(['a', 'b']);
    await clock.advance(1);
    expect(late).toEqual(['a', 'b', 'c']);
    await clock.advance(1_000);
    expect(late).toHaveLength(3);
    expect(timers.set).toBe(0);
  });

  it('do not pass for who was answered, and leave no timer behind', async () => {
    const { clock, timers, timer } = counted();
    const late: string[] = [];
    const [a, b] = [timer.begin(() => late.push('a')), timer.begin(() => late.push('b'))];
    a();
    a();
    expect(timers.set).toBe(1);
    b();
    expect(timers.set).toBe(0);
    const c = timer.begin(() => late.push('c'));
    expect(timers.set).toBe(1);
    await clock.advance(1);
    const d = timer.begin(() => late.push('d'));
    c();
    expect(timers.set).toBe(1);
    timer.begin(() => late.push('e'));
    await clock.advance(100);
    expect(late).toEqual(['d', 'e']);
    d();
    expect(timers).toEqual({ set: 0, ever: 3 });
  });

  it('do not join what has passed, even if the clock stands still, and go on joining what has not', () => {
    const fires: Array<() => void> = [];
    const late: string[] = [];
    let now = 1;
    const setTimer: Clock['setTimer'] = (_, fire) => {
      fires.push(fire);
      return () => undefined;
    };
    const timer = new SharedTimer({ now: () => now, setTimer }, 5);
    timer.begin(() => late.push('a'));
    fires[0]?.();
    timer.begin(() => late.push('b'));
    expect(fires).toHaveLength(2);
    now = 2;
    const ends = [timer.begin(() => late.push('c'))];
    fires[1]?.();
    ends.push(timer.begin(() => late.push('d')));
    expect(fires).toHaveLength(3);
    now = 3;
    const last = timer.begin(() => late.push('e'));
    last();
    fires[2]?.();
    for (const end of ends) end();
    expect(late).toEqual(['a', 'b', 'c', 'd']);
  });

  it('begin anew while they pass', async () => {
    const { clock, timer } = counted();
    const late: string[] = [];
    timer.begin(() => {
      late.push('first');
      timer.begin(() => late.push('second'));
    });
    await clock.advance(100);
    expect(late).toEqual(['first']);
    await clock.advance(100);
    expect(late).toEqual(['first', 'second']);
  });

  it('do not pass for who was answered by one that has just passed', async () => {
    const { clock, timer } = counted();
    const late: string[] = [];
    let end = (): void => undefined;
    timer.begin(() => {
      late.push('first');
      end();
    });
    end = timer.begin(() => late.push('second'));
    await clock.advance(100);
    expect(late).toEqual(['first']);
  });
});

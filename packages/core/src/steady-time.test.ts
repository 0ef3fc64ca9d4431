import { expect, it } from 'vitest';
import { steadyTime } from './steady-time.ts';

const hour = 3_600_000;

function machine() {
  const time = { wall: 1_000_000_000, monotonic: 0 };
  const pass = (ms: number): void => {
    time.wall += ms;
    time.monotonic += ms;
  };
  return {
    time,
    pass,
    now: steadyTime(
      () => time.wall,
      () => time.monotonic,
    ),
  };
}

it('is the wall clock as long as nobody sets that', () => {
  const { time, pass, now } = machine();
  for (const ms of [0, 1, 250, 5_000, hour]) {
    pass(ms);
    expect(now()).toBe(time.wall);
  }
});

it('I1: a clock that is set back delays no deadline by more than a twentieth', () => {
  const { time, pass, now } = machine();
  const since = now();
  pass(300);
  time.wall -= hour;
  let before = now();
  for (let ms = 300; ms < 5_000; ms += 100) {
    pass(100);
    expect(now()).toBeGreaterThan(before);
    before = now();
  }
  expect(before - since).toBeGreaterThan(4_700);
  expect(before - since).toBeLessThanOrEqual(5_000);
});

it('is the wall clock again when that has caught up', () => {
  const { time, pass, now } = machine();
  now();
  time.wall -= 1_000;
  for (let second = 0; second < 19; second++) {
    pass(1_000);
    expect(now()).toBeGreaterThan(time.wall);
  }
  pass(2_000);
  expect(now()).toBe(time.wall);
});

it('follows a clock that is set forward, and one that is set right again after that', () => {
  const { time, pass, now } = machine();
  now();
  time.wall += hour;
  expect(now()).toBe(time.wall);
  time.wall -= hour;
  pass(1_000);
  expect(now()).toBe(time.wall + hour - 50);
});

it('gives whole milliseconds, and does not stand still when it is asked all the time', () => {
  const { time, pass, now } = machine();
  now();
  time.wall -= hour;
  const since = now();
  for (let asked = 0; asked < 10_000; asked++) {
    pass(0.1);
    expect(Number.isInteger(now())).toBe(true);
  }
  expect(now() - since).toBeGreaterThanOrEqual(949);
});

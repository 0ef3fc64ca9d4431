import { describe, expect, it } from 'vitest';
import { parseStat } from './process-stat.ts';

const tail =
  '-1 4194560 3483 0 29 0 2 4 0 0 20 0 THREADS 0 170346 1475284992 12626 18446744073709551615 7626752 52430497 ' +
  '140724437950624 0 0 0 0 16781312 17922 0 0 0 17 1 0 0 0 0 0 112535000 112706784 345157632 140724437956876 ' +
  '140724437956928 140724437956928 140724437958602 0\n';
const line = (comm: string, state = 'S', threads = 1): string =>
  `5670 (${comm}) ${state} 5664 5660 2714 0 ${tail.replace('THREADS', String(threads))}`;

describe('parseStat', () => {
  it('reads the fields by their number in the manual page', () => {
    expect(parseStat(line('node'))).toMatchObject({
      pid: 5670,
      ppid: 5664,
      pgrp: 5660,
      session: 2714,
      startTime: 170346,
      alive: true,
      kernelThread: false,
      environBytes: 140724437958602 - 140724437956928,
    });
  });

  it.each([') R 1 1 1 (', 'a b', '((', '))', 'x) Z 1 1 1 0', '\n', ' '])(
    'is not misled by the command %j',
    (comm) => {
      expect(parseStat(line(comm))).toMatchObject({
        pid: 5670,
        ppid: 5664,
        session: 2714,
        startTime: 170346,
      });
    },
  );

  it('takes zombies for dead, unless another thread of the process still runs', () => {
    for (const state of ['R', 'S', 'D', 'T', 't', 'I']) expect(parseStat(line('x', state))?.alive).toBe(true);
    for (const state of ['Z', 'X', 'x']) expect(parseStat(line('x', state))?.alive).toBe(false);
    expect(parseStat(line('x', 'Z', 2))?.alive).toBe(true);
  });

  it('has another layout after an exec, and none without a visible environment', () => {
    const before = parseStat(line('sh'))?.layout;
    expect(before).toBeTypeOf('string');
    expect(parseStat(line('sh').replaceAll('140724437956928', '140724437950000'))?.layout).not.toBe(before);
    expect(parseStat(line('sleep'))?.layout).not.toBe(before);
    expect(parseStat(line('sh').replace('140724437958602 0', '0 0'))?.layout).toBeUndefined();
  });

  it('knows kernel threads', () => {
    const kthreadd = '2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 24 0 0 184467 0 0';
    expect(parseStat(kthreadd)).toMatchObject({ pid: 2, kernelThread: true, layout: undefined });
  });

  it.each(['', '71', '71 (x', '71 (x)', '71 (x) S 1 1', 'abc (x) S 1 1 1'])('refuses %j', (text) => {
    expect(parseStat(text)).toBeUndefined();
  });
});

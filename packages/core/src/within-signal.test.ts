import { describe, expect, it } from 'vitest';
import { withinSignal } from './within-signal.ts';

const never = new Promise<never>(() => undefined);

describe('within a signal', () => {
  it('settles as the promise does', async () => {
    const { signal } = new AbortController();
    expect(await withinSignal(Promise.resolve(71), signal)).toBe(71);
    await expect(withinSignal(Promise.reject(new Error('no')), signal)).rejects.toThrow('no');
  });

  it('rejects with the reason as soon as the signal aborts, and at once if it has', async () => {
    const controller = new AbortController();
    const reason = new Error('time is up');
    const waiting = withinSignal(never, controller.signal);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(withinSignal(Promise.resolve(71), controller.signal)).rejects.toBe(reason);
  });

  it('leaves no rejection unheard that comes later', async () => {
    const controller = new AbortController();
    let fail = (_: Error): void => undefined;
    const waiting = withinSignal(new Promise<never>((_, reject) => (fail = reject)), controller.signal);
    controller.abort(new Error('time is up'));
    await expect(waiting).rejects.toThrow('time is up');
    // Vitest fails on one that nobody handles.
    fail(new Error('late'));
  });
});

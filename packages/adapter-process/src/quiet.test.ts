import { expect, it } from 'vitest';
import { Quiet } from './quiet.ts';

it('comes when the last of those at work is done, also after a failure', async () => {
  const quiet = new Quiet(60_000);
  const { promise: first, resolve } = Promise.withResolvers<string>();
  const { promise: second, reject } = Promise.withResolvers<never>();
  const [one, two] = [quiet.during(first), quiet.during(second)];
  let came = false;
  const coming = quiet.come().then(() => {
    came = true;
  });
  resolve('done');
  expect(await one).toBe('done');
  expect(came).toBe(false);
  reject(new Error('own fault'));
  await expect(two).rejects.toThrow('own fault');
  await coming;
});

it('comes at once where nobody is at work, and after a time where somebody always is', async () => {
  const quiet = new Quiet(1);
  await quiet.come();
  void quiet.during(new Promise(() => {}));
  await quiet.come();
});

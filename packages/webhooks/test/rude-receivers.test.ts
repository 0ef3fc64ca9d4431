/** Receivers that hang, refuse, flood or talk nonsense cost little, and nobody else anything (I5, I12). */
import type { Socket } from 'node:net';
import { createKillswitch } from '@agent-killswitch/core';
import { manualClock, memoryAudit, memoryRuntime, memoryState } from '@agent-killswitch/core/memory';
import { expect, test } from 'vitest';
import { flood, receiver, rudeReceiver } from './support/receiver.ts';
import { comes, hooked, loopback, newSecret, root, site } from './support/site.ts';

const megabyte = 'x'.repeat(1 << 20);
const head = 'HTTP/1.1 200 OK\r\n';
const onceAsked = (answer: (socket: Socket) => void) => (socket: Socket) =>
  socket.once('data', () => answer(socket));

const rude: ReadonlyArray<readonly [name: string, behave: (socket: Socket) => void, isDelivered: boolean]> = [
  ['never answers', () => undefined, false],
  ['hangs up', (socket) => socket.destroy(), false],
  ['answers before it is asked', (socket) => socket.write(`${head}\r\n`), true],
  ['sends a body without end', onceAsked((socket) => flood(socket, `${head}\r\n${megabyte}`)), true],
  ['sends headers without end', onceAsked((socket) => flood(socket, `${head}x: ${megabyte}`)), false],
  [
    'sends interim answers without end',
    onceAsked((socket) => flood(socket, 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(1_000))),
    false,
  ],
  ['sends half an answer', onceAsked((socket) => socket.write('HTTP/1.1 20')), false],
  ['sends half a body', onceAsked((socket) => socket.write(`${head}content-length: 10\r\n\r\nhalf`)), true],
  ['speaks no HTTP', onceAsked((socket) => flood(socket, 'SSH-2.0-OpenSSH_9.2\r\n'.repeat(1_000))), false],
  [
    'changes the protocol',
    onceAsked((socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
    ),
    false,
  ],
];

test.each(rude)('one that %s', async (_, behave, isDelivered) => {
  const { ks, agent, kill } = await site();
  const [there, other] = [await rudeReceiver(behave), await receiver((response) => response.end())];
  const secrets = [newSecret()];
  const events = ['order.settled'] as const;
  const hooks = hooked(ks, {
    endpoints: [
      { url: there.url, name: 'rude', secrets, networks: loopback, events },
      { url: other.url, name: 'other', secrets, networks: loopback, events },
    ],
    retry: { tries: 1 },
    attemptMs: 3_000,
  });
  await agent('a1');
  await kill('a1');
  await other.until(1);
  await comes(() => expect(hooks.status()).toMatchObject([{ waiting: 0 }, { waiting: 0 }]));
  expect(hooks.status()).toMatchObject([
    { delivered: isDelivered ? 1 : 0, dead: isDelivered ? 0 : 1 },
    { delivered: 1, dead: 0 },
  ]);
  // Neither the URL's path nor a secret stands anywhere.
  const said = JSON.stringify([hooks.status(), await hooks.deadLetters(), hooks.troubles]);
  for (const secret of ['/hook', ...secrets]) expect(said).not.toContain(secret);
  // What the system's buffers hold, but no flood.
  expect(there.written()).toBeLessThan(32 << 20);
});

test('a kill takes the same time, to the millisecond, with endpoints that hang, refuse and flood as with none (I5)', async () => {
  const hanging = await rudeReceiver(() => undefined);
  const flooding = await rudeReceiver(onceAsked((socket) => flood(socket, `${head}\r\n${megabyte}`)));
  const times = await Promise.all(
    [[], [hanging.url, 'http://127.0.0.1:9/', flooding.url]].map(async (urls) => {
      const clock = manualClock();
      const runtime = memoryRuntime();
      const ks = createKillswitch({
        hostId: 'host-1',
        state: memoryState(),
        audit: memoryAudit(),
        runtimes: { memory: runtime },
        clock,
      });
      if (urls.length > 0)
        hooked(ks, {
          endpoints: urls.map((url, n) => ({
            url,
            name: `e${n}`,
            secrets: [newSecret()],
            networks: loopback,
          })),
          clock,
        });
      await ks.start();
      for (let n = 0; n < 20; n += 1) {
        await ks.admit({ agentId: `a${n}`, taskId: 't', workspaceId: 'w', ownerId: 'mia' });
        await ks.running(`a${n}`, [runtime.spawn(n % 2 === 0 ? 'cooperative' : 'stubborn')]);
      }
      const kill = ks.kill({ task: 't' }, { principal: root, reason: 'it went rogue' });
      let isDone = false;
      void kill.then(() => {
        isDone = true;
      });
      while (!isDone) await clock.advance(1);
      await ks.close();
      const { settledAt, outcomes } = await kill;
      return [settledAt, outcomes.map(({ confirmedAt }) => confirmedAt)];
    }),
  );
  expect(times[1]).toEqual(times[0]);
});

import { connect, createServer } from 'node:net';

/**
 * Runs `work` while no other process of this user on this machine runs work of the same name. The lock is an abstract
 * Unix socket: the kernel frees it when its holder dies, so nothing is ever left locked. Abstract sockets are Linux's;
 * elsewhere `work` runs unguarded.
 *
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work
 * @param {number} [waitMs] how long to wait for another holder
 * @returns {Promise<T>}
 */
export async function exclusive(name, work, waitMs = 15 * 60_000) {
  if (process.platform !== 'linux') return work();
  const path = `\0agent-killswitch-${process.getuid?.() ?? 0}-${name}`;
  const deadline = Date.now() + waitMs;
  for (;;) {
    const release = await take(path);
    if (release !== undefined) {
      try {
        return await work();
      } finally {
        await release();
      }
    }
    const leftMs = deadline - Date.now();
    if (leftMs <= 0)
      throw new Error(`Another process held the lock "${name}" for ${waitMs} ms; end it and try again.`);
    await holderGone(path, leftMs);
  }
}

/**
 * @param {string} path
 * @returns {Promise<(() => Promise<void>) | undefined>} what frees it; `undefined` if somebody else holds it
 */
function take(path) {
  return new Promise((resolve, reject) => {
    /** @type {Set<import('node:net').Socket>} */
    const waiting = new Set();
    const server = createServer((socket) => {
      waiting.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => waiting.delete(socket));
      socket.resume();
    });
    server.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen({ path }, () => {
      resolve(
        () =>
          new Promise((closed) => {
            server.close(() => closed());
            for (const socket of waiting) socket.destroy();
          }),
      );
    });
  });
}

/**
 * @param {string} path
 * @param {number} leftMs
 * @returns {Promise<void>} resolves when the holder has let go, or when the time is up
 */
function holderGone(path, leftMs) {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const timer = setTimeout(() => socket.destroy(), leftMs);
    socket.on('error', () => {});
    socket.resume();
    socket.on('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

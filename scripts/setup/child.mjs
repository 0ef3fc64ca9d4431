import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

const forwarded = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/**
 * Runs a command in its own process group until it ends. Signals to this process go to the whole group, and on Linux
 * the command also gets SIGTERM if this process dies without being able to pass anything on.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnOptions & { deadlineMs?: number, graceMs?: number, repeatMs?: number, onOutput?: (text: string) => void }} options
 *   `deadlineMs`: the group is killed after it (default: never). `graceMs`: how long after a first signal the group is
 *   killed (default: never). `repeatMs`: within this time the same signal counts once (default 500), since a Ctrl-C reaches
 *   npm and its child, and npm passes it on. `onOutput`: gets what a piped stdout and stderr say.
 * @returns {Promise<{ code: number | null, signal: NodeJS.Signals | null, late: boolean }>}
 */
export function runChild(command, args, { deadlineMs, graceMs, repeatMs = 500, onOutput, ...options }) {
  return new Promise((resolve, reject) => {
    const [file, argv] = boundToParent(command, args);
    const child = spawn(file, argv, { ...options, detached: true });
    let late = false;

    /** @param {NodeJS.Signals} signal */
    const send = (signal) => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, signal);
      } catch (error) {
        if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error;
      }
    };
    /** @type {NodeJS.Timeout[]} */
    const timers = [];
    /** @param {number} ms */
    const killAfter = (ms) => {
      timers.push(
        setTimeout(() => {
          late = true;
          send('SIGKILL');
        }, ms),
      );
    };
    /** @type {Map<NodeJS.Signals, number>} */
    const lastSent = new Map();
    /** @param {NodeJS.Signals} signal */
    const forward = (signal) => {
      const now = performance.now();
      if (now - (lastSent.get(signal) ?? Number.NEGATIVE_INFINITY) < repeatMs) return;
      if (lastSent.size === 0 && graceMs !== undefined) killAfter(graceMs);
      lastSent.set(signal, now);
      send(signal);
    };
    for (const signal of forwarded) process.on(signal, forward);
    if (deadlineMs !== undefined) killAfter(deadlineMs);
    const settle = () => {
      for (const timer of timers) clearTimeout(timer);
      for (const signal of forwarded) process.off(signal, forward);
    };

    if (process.env.npm_lifecycle_event !== undefined) timers.push(whenOrphaned(() => forward('SIGTERM')));

    child.stdout?.on('data', (chunk) => onOutput?.(String(chunk)));
    child.stderr?.on('data', (chunk) => onOutput?.(String(chunk)));
    child.once('error', (error) => {
      settle();
      reject(error);
    });
    child.once('close', (code, signal) => {
      settle();
      resolve({ code, signal, late });
    });
  });
}

/**
 * npm passes on SIGINT and SIGTERM, but cannot when it is killed outright, and does not on SIGHUP.
 *
 * @param {() => void} act
 * @returns {NodeJS.Timeout}
 */
function whenOrphaned(act) {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    act();
  }, 500);
  return timer.unref();
}

/**
 * Ends this process the way the child ended: same exit code, or same signal.
 *
 * @param {{ code: number | null, signal: NodeJS.Signals | null }} end
 * @returns {void}
 */
export function exitLike({ code, signal }) {
  if (signal === null) process.exitCode = code ?? 1;
  else process.kill(process.pid, signal);
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {[string, string[]]} the same command, told by the kernel when its parent is gone (it keeps its process id)
 */
export function boundToParent(command, args) {
  const setpriv = '/usr/bin/setpriv';
  if (process.platform !== 'linux' || !existsSync(setpriv)) return [command, [...args]];
  return [setpriv, ['--pdeathsig', 'SIGTERM', command, ...args]];
}

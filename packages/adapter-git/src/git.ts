import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { simpleGit } from 'simple-git';
import { GitFailedError } from './errors.ts';

const maxErrorBytes = 16_384;

/** Variables that git gets from this process; everything else it is told by us. */
const passedOn = ['PATH', 'TMPDIR', 'LD_LIBRARY_PATH'];

/** No configuration but the repository's own, no prompt, no network, no fetching of objects that a clone has left out. */
const isolation: Readonly<Record<string, string>> = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_NO_LAZY_FETCH: '1',
  GIT_ALLOW_PROTOCOL: 'none',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_LITERAL_PATHSPECS: '1',
  HOME: '/nonexistent',
  XDG_CONFIG_HOME: '/nonexistent',
  LC_ALL: 'C',
};

export interface GitCall {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  /** As whom it runs. Default: as this process. */
  readonly user?: User | undefined;
}

export interface User {
  readonly uid: number;
  readonly gid: number;
}

export interface GitAnswer {
  readonly stdout: Buffer;
  readonly stderr: string;
  /** There was more than `maxBytes`; git was ended. */
  readonly isCut: boolean;
}

/**
 * Runs git through simple-git. coreutils' `timeout` stands between the two: it puts git into a process group of its own and
 * kills all of it at the deadline, also when this process is stopped or gone by then.
 * @throws GitFailedError; the signal's reason when it has aborted and git is over, which it then is soon, at the latest at
 * the deadline
 */
export async function git(
  { cwd, env, deadlineMs, signal, user }: GitCall,
  args: readonly string[],
  { input = Buffer.alloc(0), maxBytes = 67_108_864 }: { input?: Buffer; maxBytes?: number } = {},
): Promise<GitAnswer> {
  const stdout = collector(maxBytes);
  const stderr = collector(maxErrorBytes);
  const enough = new AbortController();
  const environment = { ...own(), ...isolation, ...env };
  const since = performance.now();
  const client = simpleGit({
    baseDir: cwd,
    binary: [timeoutProgram(), '-sKILL'],
    abort: AbortSignal.any([signal, enough.signal]),
    input: () => input,
    ...(user === undefined ? {} : { spawnOptions: { uid: user.uid, gid: user.gid } }),
    allowEnvironment: Object.keys(environment),
    // All that is said on the command line and in the environment is ours.
    unsafe: {
      allowUnsafeConfigPaths: true,
      allowUnsafeConfigEnvCount: true,
      allowUnsafeHooksPath: true,
      allowUnsafeFsMonitor: true,
    },
    // By itself simple-git takes a killed git, and one that fails in silence, for a success.
    errors: (error, { exitCode }) => (exitCode === 0 ? error : (error ?? new Error(`exit code ${exitCode}`))),
  })
    .env(environment)
    .outputHandler((_command, out, err) => {
      out.on('data', (chunk: Buffer) => {
        if (!stdout.take(chunk)) enough.abort(new Error('enough'));
      });
      err.on('data', (chunk: Buffer) => void stderr.take(chunk));
    });
  const command = [String(deadlineMs / 1_000), 'git', ...args];
  try {
    await client.raw(command);
  } catch (thrown) {
    signal.throwIfAborted();
    if (!enough.signal.aborted) {
      const isLate = performance.now() - since >= deadlineMs;
      const why = isLate ? `did not end within ${deadlineMs} ms and was killed` : `failed: ${said(stderr)}`;
      throw new GitFailedError(`git ${args.slice(0, 2).join(' ')} ${why}`, { cause: thrown });
    }
  }
  return { stdout: stdout.bytes(), stderr: said(stderr), isCut: enough.signal.aborted };
}

function own(): Record<string, string> {
  return Object.fromEntries(
    passedOn.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}

/** @throws GitFailedError if coreutils are not installed */
function timeoutProgram(): string {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const program = join(folder, 'timeout');
    if (folder !== '' && existsSync(program)) return program;
  }
  throw new GitFailedError('No program `timeout` on the PATH: install coreutils');
}

/** Keeps at most this many bytes; says whether there was room. */
function collector(maxBytes: number) {
  const chunks: Buffer[] = [];
  let room = maxBytes;
  return {
    take(chunk: Buffer): boolean {
      const isFitting = chunk.length <= room;
      chunks.push(isFitting ? chunk : chunk.subarray(0, room));
      room -= Math.min(room, chunk.length);
      return isFitting;
    },
    bytes: () => Buffer.concat(chunks),
  };
}

function said(stderr: { bytes(): Buffer }): string {
  return stderr.bytes().toString().trim().slice(-1_000) || 'it said nothing';
}

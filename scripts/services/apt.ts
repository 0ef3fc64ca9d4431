import { access, readFile, rm, writeFile } from 'node:fs/promises';
import { identify } from '../lib/processes.ts';
import { run } from '../lib/run.ts';
import { exclusive } from '../setup/exclusive.mjs';
import { ServiceUnavailableError } from './service.ts';
import { isRoot } from './user.ts';

const aptDeadlineMs = 8 * 60_000;
const policyFile = '/usr/sbin/policy-rc.d';

export interface PackageWish {
  /** Answers the path of the file that is wanted, once it is there. */
  readonly find: () => Promise<string | undefined>;
  readonly packages: readonly string[];
  /** Whether to look in Debian's backports if the release itself does not have them. */
  readonly backports?: boolean;
}

/**
 * Installs Debian packages unless the file they bring is there, and answers its path.
 * @throws ServiceUnavailableError if that cannot be.
 */
export async function ensurePackages({ find, packages, backports = false }: PackageWish): Promise<string> {
  const before = await find();
  if (before !== undefined) return before;
  const names = packages.join(', ');
  const release = await debianRelease();
  if (!isRoot || release === undefined) {
    const lacking = isRoot ? 'this is not Debian' : 'only root can install it';
    throw new ServiceUnavailableError(`${names} not installed, and ${lacking}`);
  }
  return exclusive('apt', async () => {
    const meanwhile = await find();
    if (meanwhile !== undefined) return meanwhile;
    process.stderr.write(`services: installing ${names} with apt-get\n`);
    await withoutAutoStart(() => install(packages, backports ? release : undefined));
    const brought = await find();
    if (brought === undefined)
      throw new ServiceUnavailableError(`${names} installed, but what it should bring is missing`);
    return brought;
  });
}

async function install(packages: readonly string[], backportsOf: string | undefined): Promise<void> {
  if ((await aptInstall(packages)) === undefined) return;
  await apt(['update']);
  let fault = await aptInstall(packages);
  if (fault !== undefined && backportsOf !== undefined) {
    await addBackports(backportsOf);
    await apt(['update']);
    fault = await aptInstall(packages, ['-t', `${backportsOf}-backports`]);
  }
  if (fault !== undefined) throw new ServiceUnavailableError(`apt-get could not install it: ${fault}`);
}

/** Answers what went wrong, if anything did. */
async function aptInstall(packages: readonly string[], options: string[] = []): Promise<string | undefined> {
  const { code, stderr } = await apt(['install', '-y', '--no-install-recommends', ...options, ...packages]);
  return code === 0 ? undefined : stderr.trim().slice(-1_000) || `exit code ${code}`;
}

function apt(args: readonly string[]): ReturnType<typeof run> {
  const settings = ['DPkg::Lock::Timeout=180', 'Acquire::Retries=3', 'Dpkg::Options::=--force-confold'];
  const env = {
    ...process.env,
    DEBIAN_FRONTEND: 'noninteractive',
    NEEDRESTART_SUSPEND: '1',
    LC_ALL: 'C.UTF-8',
  };
  const options = ['-q', ...settings.flatMap((setting) => ['-o', setting])];
  return run('apt-get', [...options, ...args], { env, deadlineMs: aptDeadlineMs });
}

async function addBackports(release: string): Promise<void> {
  const source = [
    'Types: deb',
    'URIs: http://deb.debian.org/debian',
    `Suites: ${release}-backports`,
    'Components: main',
    'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg',
  ];
  await writeFile(`/etc/apt/sources.list.d/${release}-backports.sources`, `${source.join('\n')}\n`);
}

/**
 * Installs without Debian starting a system-wide service of the same name. The policy denies only while this process
 * lives, so that a copy left behind by a crash changes nothing.
 */
async function withoutAutoStart(work: () => Promise<void>): Promise<void> {
  if (await exists(policyFile)) return work();
  const self = identify(process.pid);
  const alive = `[ "$(cut -d' ' -f22 /proc/${process.pid}/stat 2>/dev/null)" = ${self?.startTime} ]`;
  await writeFile(policyFile, `#!/bin/sh\nif ${alive}; then exit 101; fi\nexit 0\n`, {
    mode: 0o755,
    flag: 'wx',
  });
  try {
    await work();
  } finally {
    await rm(policyFile, { force: true });
  }
}

/** Debian's code name, for example `bookworm`; `undefined` on any other system. */
async function debianRelease(): Promise<string | undefined> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const value = (name: string) => text.match(new RegExp(`^${name}="?([^"\n]*)"?$`, 'm'))?.[1];
  return value('ID') === 'debian' ? value('VERSION_CODENAME') : undefined;
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Where a command is on the PATH. */
export async function which(command: string): Promise<string | undefined> {
  const { code, stdout } = await run('sh', ['-c', 'command -v "$1"', 'sh', command]);
  return code === 0 ? stdout.trim() : undefined;
}

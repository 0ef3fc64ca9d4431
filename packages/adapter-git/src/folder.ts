import type { BigIntStats } from 'node:fs';
import { constants } from 'node:fs';
import {
  chmod,
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  opendir,
  readFile,
  rename,
  rmdir,
  unlink,
} from 'node:fs/promises';
import { systemCode, UnsupportedPlatformError, unless } from './errors.ts';

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NONBLOCK } = constants;
/** Linux: a descriptor that only names the file. Node has no constant for it. */
const O_PATH = 0o10000000;

/** One component of a path. A buffer where others chose it: file names need not be UTF-8. */
export type Name = string | Buffer;

/** Something in a folder. */
export interface Entry {
  readonly name: Buffer;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

/**
 * An open folder. Everything is reached through its descriptor, one component at a time and never through a symbolic
 * link, so that swapping a folder above or a name within leads nowhere else (what openat(2) is for).
 */
export class Folder {
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** @throws ENOENT, ENOTDIR (also for a symbolic link), EACCES; UnsupportedPlatformError. */
  static async open(path: string): Promise<Folder> {
    const folder = new Folder(await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    if ((await unless(['ENOENT', 'ENOTDIR'], lstat(folder.at('.', true)))) !== undefined) return folder;
    await folder.close();
    throw new UnsupportedPlatformError('Open folders are not reachable by /proc/self/fd: this needs Linux');
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  /** A path to an entry of this very folder, wherever that is by now; valid as long as it is open. */
  at(name: Name, isSelf = false): Buffer {
    const bytes = Buffer.from(name);
    const text = bytes.toString('latin1');
    const isComponent = text !== '' && text !== '..' && (text !== '.' || isSelf) && !/[/\0]/.test(text);
    if (!isComponent) throw new TypeError(`${JSON.stringify(text)} is no name of a file`);
    return Buffer.concat([Buffer.from(`/proc/self/fd/${this.#handle.fd}/`), bytes]);
  }

  /** A folder in this one. `force`: rights that its owner lacks are given first. @throws as `open`. */
  async folder(name: Name, { force = false } = {}): Promise<Folder> {
    const flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
    try {
      return new Folder(await open(this.at(name), flags));
    } catch (thrown) {
      if (!force || systemCode(thrown) !== 'EACCES') throw thrown;
    }
    await this.#giveRights(name);
    return new Folder(await open(this.at(name), flags));
  }

  /** The folder of that name, made if it is not there. */
  async make(name: Name, mode = 0o700): Promise<Folder> {
    await unless(['EEXIST'], mkdir(this.at(name), { mode }));
    return this.folder(name);
  }

  /** What bears the name, itself; `undefined` if nothing does. */
  stat(name: Name): Promise<BigIntStats | undefined> {
    return unless(['ENOENT'], lstat(this.at(name), { bigint: true }));
  }

  /** The folder itself. */
  ownStat(): Promise<BigIntStats> {
    return this.#handle.stat({ bigint: true });
  }

  /** What is in it, a few at a time: it may be more than memory holds. */
  async *entries(): AsyncGenerator<Entry> {
    // Node's types know no directory whose names are buffers.
    const options = { encoding: 'buffer' as BufferEncoding, bufferSize: 256 };
    const folder = await opendir(this.at('.', true), options);
    for await (const entry of folder) yield entry as unknown as Entry;
  }

  /** A regular file's content; `undefined` if there is none, or it is none, or larger than `maxBytes`. */
  async read(name: Name, maxBytes: number): Promise<Buffer | undefined> {
    // Without O_NONBLOCK a pipe of that name would be waited for.
    const opening = open(this.at(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const file = await unless(['ENOENT', 'ELOOP', 'ENXIO', 'EACCES'], opening);
    if (file === undefined) return undefined;
    try {
      const { size } = await file.stat();
      return (await file.stat()).isFile() && size <= maxBytes ? await file.readFile() : undefined;
    } finally {
      await file.close();
    }
  }

  /** A new file with this content. `durable`: on disk when it resolves. @throws EEXIST. */
  async write(name: Name, content: string | Buffer, { mode = 0o600, durable = false } = {}): Promise<void> {
    const file = await open(this.at(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
    try {
      await file.writeFile(content);
      if (durable) await file.datasync();
    } finally {
      await file.close();
    }
  }

  /** A new file with the content of the one at `path`, which must be a regular one, durable. @throws EEXIST. */
  async copy(path: string, name: Name, mode: number): Promise<void> {
    const from = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      if (!(await from.stat()).isFile()) throw new TypeError(`${path} is no file`);
      const to = await open(this.at(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      try {
        const chunk = Buffer.alloc(1_048_576);
        for (;;) {
          const { bytesRead } = await from.read(chunk, 0, chunk.length);
          if (bytesRead === 0) break;
          await to.writeFile(chunk.subarray(0, bytesRead));
        }
        await to.chmod(mode);
        await to.sync();
      } finally {
        await to.close();
      }
    } finally {
      await from.close();
    }
  }

  /** Lets the owner of a regular file read it. */
  async letRead(name: Name): Promise<void> {
    const file = await open(this.at(name), O_PATH | O_NOFOLLOW);
    try {
      const stat = await file.stat();
      if (stat.isFile()) await chmod(`/proc/self/fd/${file.fd}`, stat.mode | 0o400);
    } finally {
      await file.close();
    }
  }

  /** Gives an entry another place, without replacing a folder that has something in it. */
  move(name: Name, to: Folder, newName: Name = name): Promise<void> {
    return rename(this.at(name), to.at(newName));
  }

  /** A second name for a file. @throws EEXIST if the name is taken. */
  link(name: Name, to: Folder, newName: Name): Promise<void> {
    return link(this.at(name), to.at(newName));
  }

  unlink(name: Name): Promise<void> {
    return unlink(this.at(name));
  }

  rmdir(name: Name): Promise<void> {
    return rmdir(this.at(name));
  }

  /** Makes the names in it durable. */
  sync(): Promise<void> {
    return this.#handle.sync();
  }

  /** Lets the owner list and change this folder. */
  giveRights(): Promise<void> {
    return this.#handle.chmod(0o700);
  }

  /** Which mount it lies on: unlike a device number it differs for a bind mount of the same disk. */
  async mount(): Promise<string> {
    const info = await readFile(`/proc/self/fdinfo/${this.#handle.fd}`, 'utf8');
    return /^mnt_id:\s*(\d+)$/m.exec(info)?.[1] ?? 'unknown';
  }

  async #giveRights(name: Name): Promise<void> {
    const named = await open(this.at(name), O_PATH | O_DIRECTORY | O_NOFOLLOW);
    try {
      await chmod(`/proc/self/fd/${named.fd}`, 0o700);
    } finally {
      await named.close();
    }
  }
}

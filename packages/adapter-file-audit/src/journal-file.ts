import { constants, type FileHandle, open, stat } from 'node:fs/promises';
import { JournalWriteError } from './journal-errors.ts';
import type { WriterLock } from './writer-lock.ts';

const tailBytes = 512;

/** Opens for reading and writing; never through a symbolic link, and only a regular file. */
export async function openRegular(path: string, more = 0): Promise<FileHandle> {
  const file = await open(path, constants.O_RDWR | (constants.O_NOFOLLOW ?? 0) | more, 0o600);
  try {
    if (!(await file.stat()).isFile()) throw new Error(`${path} is not a regular file`);
    return file;
  } catch (error) {
    await file.close().catch(() => {});
    throw error;
  }
}

/**
 * The file behind a verified journal. Appends whole or not at all, one at a time.
 *
 * - sound: the file has exactly the durable records. Left by an append that fails.
 * - suspect: behind the durable records may lie bytes of the rejected append, and after a failed fsync the system may
 *   have dropped pages that it still shows. Left when the file, opened anew, is the same one, has been cut back to the
 *   durable records, and this is fsynced; tried at once, and again before each append.
 */
export class JournalFile {
  readonly path: string;
  readonly #lock: WriterLock;
  #file: FileHandle;
  #length: number;
  /** The last bytes of the durable records: they hold the newest hash. */
  #tail: Buffer = Buffer.alloc(0);
  /** How many bytes of a rejected append may lie behind the durable records; `undefined` when sound. */
  #suspect: number | undefined;

  private constructor(path: string, lock: WriterLock, file: FileHandle, length: number) {
    this.path = path;
    this.#lock = lock;
    this.#file = file;
    this.#length = length;
  }

  /** `file` holds `length` bytes of verified records and nothing else, and becomes this object's. */
  static async from(path: string, lock: WriterLock, file: FileHandle, length: number): Promise<JournalFile> {
    const journal = new JournalFile(path, lock, file, length);
    journal.#tail = await readTail(file, length, Math.min(tailBytes, length));
    return journal;
  }

  /** How many bytes of durable records there are. They never change again. */
  get length(): number {
    return this.#length;
  }

  /** @throws JournalWriteError. Then nothing of it is in the file, or the file is suspect. */
  async append(bytes: Buffer): Promise<void> {
    if (this.#suspect !== undefined) await this.#recover();
    try {
      await this.#requireUntouched(this.#length);
      this.#suspect = bytes.length;
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await this.#file.write(
          bytes,
          done,
          bytes.length - done,
          this.#length + done,
        );
        done += bytesWritten;
      }
      await this.#file.datasync();
      await this.#requireUntouched(this.#length + bytes.length);
    } catch (error) {
      this.#suspect ??= 0;
      await this.#recover().catch(() => {});
      throw new JournalWriteError(this.path, 'append', error);
    }
    this.#suspect = undefined;
    this.#length += bytes.length;
    this.#tail = Buffer.from(Buffer.concat([this.#tail, bytes.subarray(-tailBytes)]).subarray(-tailBytes));
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  /** A file that was deleted, moved or replaced still takes writes through its open handle, and loses them. */
  async #requireUntouched(size: number): Promise<void> {
    const [named, opened] = await Promise.all([stat(this.path), this.#file.stat()]);
    if (named.ino !== opened.ino || named.dev !== opened.dev) throw new Error('another file has its name');
    if (opened.size !== size) throw new Error(`it has ${opened.size} bytes instead of ${size}`);
  }

  async #recover(): Promise<void> {
    try {
      await this.#file.close().catch(() => {});
      const file = await openRegular(this.path);
      this.#file = file;
      await this.#lock.confirm();
      const { size } = await file.stat();
      const most = this.#length + (this.#suspect ?? 0);
      if (size < this.#length || size > most) {
        throw new Error(`it has ${size} bytes instead of ${this.#length} to ${most}`);
      }
      const tail = await readTail(file, this.#length, this.#tail.length);
      if (!tail.equals(this.#tail)) throw new Error('its newest record is another one');
      await file.truncate(this.#length);
      await file.sync();
      this.#suspect = undefined;
    } catch (error) {
      throw new JournalWriteError(this.path, 'recovery', error);
    }
  }
}

async function readTail(file: FileHandle, end: number, length: number): Promise<Buffer> {
  const tail = Buffer.alloc(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(tail, done, length - done, end - length + done);
    if (bytesRead === 0) throw new Error(`it ends before byte ${end}`);
    done += bytesRead;
  }
  return tail;
}

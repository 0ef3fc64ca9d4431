import { close, open, read } from 'node:fs';

const chunkSize = 131_072;

/**
 * The environment a process was started with. Empty if it is a zombie or in the middle of an exec; rejects with the
 * system's error if it is gone or not readable. Asynchronous on purpose: the kernel waits for the process's memory lock
 * here, which a process stuck in I/O can hold for ever.
 */
export async function readEnviron(pid: number, buffer: Buffer): Promise<string> {
  const file = await new Promise<number>((resolve, reject) => {
    open(`/proc/${pid}/environ`, 'r', (error, opened) => (error ? reject(error) : resolve(opened)));
  });
  try {
    let text = '';
    for (;;) {
      const length = await readChunk(file, buffer);
      text += buffer.toString('latin1', 0, length);
      if (length < buffer.length) return text;
    }
  } finally {
    close(file, () => {});
  }
}

export function environBuffer(): Buffer {
  return Buffer.allocUnsafe(chunkSize);
}

function readChunk(file: number, buffer: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    read(file, buffer, 0, buffer.length, null, (error, length) => (error ? reject(error) : resolve(length)));
  });
}

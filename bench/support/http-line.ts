import { connect, type Socket } from 'node:net';

/**
 * One kept connection that carries one request at a time. It reads no more of an answer than it has to: what sends the load
 * shall cost next to nothing beside what answers it.
 */
export class HttpLine {
  readonly #port: number;
  #socket: Socket | undefined;
  /** What has come of an answer's head; once that is whole, how many bytes of the answer are still to come. */
  #head = '';
  #missing: number | undefined;
  #done: ((status: number) => void) | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  /** Resolves with the status of the answer once all of it has come; 0 if the connection breaks. */
  send(request: string): Promise<number> {
    this.#socket ??= this.#connect();
    this.#socket.write(request, 'latin1');
    return new Promise((resolve) => {
      this.#done = resolve;
    });
  }

  close(): void {
    this.#socket?.destroy();
  }

  #connect(): Socket {
    const socket = connect(this.#port, '127.0.0.1').setNoDelay();
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#socket = undefined;
      this.#end(0);
    });
    return socket;
  }

  #take(chunk: Buffer): void {
    if (this.#missing !== undefined) this.#missing -= chunk.length;
    else {
      this.#head += chunk.toString('latin1');
      const end = this.#head.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = /\r\ncontent-length: (\d+)/i.exec(this.#head)?.[1];
      if (length === undefined) throw new Error(`An answer without a length: ${this.#head}`);
      this.#missing = Number(length) - (this.#head.length - end - '\r\n\r\n'.length);
    }
    if (this.#missing <= 0) this.#end(Number(this.#head.slice(9, 12)));
  }

  #end(status: number): void {
    const done = this.#done;
    this.#done = undefined;
    this.#head = '';
    this.#missing = undefined;
    done?.(status);
  }
}

/** The bytes of a POST of JSON. */
export function postOf(path: string, token: string, body: string): string {
  return [
    `POST ${path} HTTP/1.1`,
    'Host: localhost',
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}

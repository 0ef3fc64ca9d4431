import { randomUUID } from 'node:crypto';

/** Names one client, its calls and its messages. */
export class Caller {
  readonly id: string = randomUUID();
  private calls = 0;

  /** A name that no other call has, of this client or another. */
  next(): string {
    this.calls += 1;
    return `${this.id}/${this.calls}`;
  }

  /** A message for the channel. */
  event(what: object): string {
    return JSON.stringify({ from: this.id, ...what });
  }
}

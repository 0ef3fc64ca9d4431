import type { Message } from './message.ts';

/** A message on its way to one endpoint. */
export interface Parcel {
  /** Written out at the first try. */
  readonly message: () => Message;
  /** The dead letter that it was; leaves those when it is delivered. */
  readonly letterId: string | undefined;
  tries: number;
  /** When it is tried next, in milliseconds since the Unix epoch. */
  dueAt: number;
}

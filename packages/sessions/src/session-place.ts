import type { SessionRecord } from './session-record.ts';

/** Which session is meant, by facts that stay the same all its life. */
export type SessionPlace = Pick<SessionRecord, 'sessionId' | 'workspaceId' | 'startedAt'>;

const digits = 15;

/** Where a session stands among all, as text that sorts by its start; the cursor of a listing that ended there. */
export function placeOf({ startedAt, sessionId }: Omit<SessionPlace, 'workspaceId'>): string {
  return `${String(startedAt).padStart(digits, '0')}:${sessionId}`;
}

/** The session that stands there. */
export function sessionIdAt(place: string): string {
  return place.slice(digits + 1);
}

/** A cursor from which a listing goes on with the sessions that started before `at`, in milliseconds since the Unix epoch. */
export function placeBefore(at: number): string {
  return `${String(Math.max(0, Math.floor(at))).padStart(digits, '0')}:`;
}

/** Whether it is a place, and not something else that stands among them. */
export const isPlace = (text: string): boolean => /^\d{15}:./.test(text);

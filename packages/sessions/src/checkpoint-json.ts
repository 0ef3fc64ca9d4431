import { CheckpointNotSerialisableError, CheckpointTooLargeError } from './errors.ts';

/**
 * A checkpoint as JSON, as it is at this moment. Members that are `undefined` are left out, and `toJSON` is heeded (dates).
 * What JSON would change in silence is refused: functions, symbols, NaN, infinities, and objects that are more than their
 * members, such as a Map.
 * @throws CheckpointNotSerialisableError, CheckpointTooLargeError
 */
export function checkpointJson(value: unknown, maxBytes: number): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value, refuseLosses);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split('\n')[0] : 'it threw';
    throw new CheckpointNotSerialisableError(`A checkpoint has to be JSON: ${why}`, { cause });
  }
  if (json === undefined)
    throw new CheckpointNotSerialisableError('A checkpoint has to be JSON: there is no value');
  return withinLimit(json, maxBytes);
}

/** @throws CheckpointTooLargeError */
export function withinLimit(json: string, maxBytes: number): string {
  const bytes = Buffer.byteLength(json);
  if (bytes <= maxBytes) return json;
  throw new CheckpointTooLargeError(
    `The checkpoint has ${bytes} bytes as JSON, of at most ${maxBytes}: keep what is large elsewhere, and where it is here`,
  );
}

function refuseLosses(this: unknown, key: string, value: unknown): unknown {
  const where = key === '' ? 'it' : `"${key}"`;
  if (typeof value === 'function' || typeof value === 'symbol')
    throw new TypeError(`${where} is a ${typeof value}`);
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`${where} is ${value}`);
  if (value === undefined && Array.isArray(this)) throw new TypeError(`${where} is undefined in a list`);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const kind = Object.prototype.toString.call(value);
  if (kind !== '[object Object]') throw new TypeError(`${where} is more than its members: ${kind}`);
  return value;
}

import { describeError } from './errors.ts';

/** Reads what somebody else made; what that throws is a fault of the option at `path`, and the answer is `undefined`. */
export function readSafely<T>(path: string, faults: string[], read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    faults.push(`${path}: cannot be read: ${describeError(error)}`);
    return undefined;
  }
}

/**
 * A plain copy of a group of options, each read once, `known` ones also if they are inherited. What is `undefined`, or
 * cannot be read, is left out, so that it can hide no default. Anything but an object is returned as it is.
 */
export function copyOptions(
  path: string,
  given: unknown,
  known: readonly string[],
  faults: string[],
): unknown {
  if (typeof given !== 'object' || given === null) return given;
  if (readSafely(path, faults, () => Array.isArray(given)) !== false) return [];
  const keys = readSafely(path || 'options', faults, () => Object.keys(given)) ?? [];
  const read = [...new Set([...known, ...keys])].map((key) => {
    const at = path === '' ? key : `${path}.${key}`;
    return [key, readSafely(at, faults, () => (given as Record<string, unknown>)[key])] as const;
  });
  return Object.fromEntries(read.filter(([, value]) => value !== undefined));
}

/** A copy of a list of options; an entry that cannot be read is left out. Anything but a list is returned as it is. */
export function copyList(path: string, given: unknown, faults: string[]): unknown {
  const isList = readSafely(path, faults, () => Array.isArray(given));
  if (isList === undefined) return [];
  if (!isList) return given;
  const list = given as readonly unknown[];
  const length = readSafely(path, faults, () => list.length) ?? 0;
  const read = Array.from({ length }, (_, at) =>
    readSafely(`${path}.${at}`, faults, () => ({ entry: list[at] })),
  );
  return read.flatMap((each) => (each === undefined ? [] : [each.entry]));
}

/** The entries of an object that serves as a table; a fault if it is of any other kind, such as a `Map`. */
export function copyTable(path: string, given: unknown, faults: string[]): Map<string, unknown> {
  const isPlain = readSafely(path, faults, () => isPlainObject(given));
  if (isPlain === false) faults.push(`${path}: must be a plain object`);
  if (isPlain !== true) return new Map();
  const table = given as Record<string, unknown>;
  const names = readSafely(path, faults, () => Object.keys(table)) ?? [];
  const read = names.map((name) => readSafely(`${path}.${name}`, faults, () => [name, table[name]] as const));
  return new Map(read.filter((entry) => entry !== undefined));
}

function isPlainObject(given: unknown): boolean {
  if (typeof given !== 'object' || given === null) return false;
  const prototype: unknown = Object.getPrototypeOf(given);
  // Of any realm: the prototype of all objects is the one that has none itself and knows `isPrototypeOf`.
  return (
    prototype === null ||
    (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf'))
  );
}

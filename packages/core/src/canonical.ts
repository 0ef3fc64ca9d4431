/** The sorted members of objects that were made alike: sorting and quoting names costs more than all the rest. */
interface Shape {
  readonly keys: readonly string[];
  readonly names: readonly string[];
  /** What is written before each member's value, if it is the first one and if not. */
  readonly first: readonly string[];
  readonly next: readonly string[];
}

/** Shapes by their number of members, the newest first. Bounded, since callers choose some of the names. */
const shapes = new Map<number, Shape[]>();
const most = { members: 64, shapesAlike: 16, nameUnits: 1_000 };

/** What JSON writes differently from itself: quotes, backslashes, control characters, and lone surrogates. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is the point
const toEscape = /["\\\u0000-\u001f\ud800-\udfff]/;

/**
 * The one JSON text of a value: members sorted by UTF-16 code units, no white space, numbers and strings as ECMAScript
 * writes them (RFC 8785, JSON Canonicalization Scheme). Members that are `undefined` are left out.
 * @throws TypeError for what JSON cannot hold: NaN, infinities, functions, bigints, symbols, holes in arrays, and
 * objects that are more than their members (a Date or a Map would read as `{}`).
 */
export function canonical(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return quote(value);
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`${value} has no canonical form`);
      return `${value}`;
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? ofArray(value) : ofObject(value);
    default:
      throw new TypeError(`A ${typeof value} has no canonical form`);
  }
}

function quote(text: string): string {
  return toEscape.test(text) ? JSON.stringify(text) : `"${text}"`;
}

function ofArray(items: readonly unknown[]): string {
  let text = '';
  for (let i = 0; i < items.length; i++) text += i === 0 ? canonical(items[i]) : `,${canonical(items[i])}`;
  return `[${text}]`;
}

function ofObject(value: object): string {
  if (Object.getPrototypeOf(value) !== Object.prototype) {
    const kind = Object.prototype.toString.call(value);
    if (kind !== '[object Object]') throw new TypeError(`${kind} has no canonical form`);
  }
  const members = value as Record<string, unknown>;
  const { names, first, next } = shapeOf(Object.keys(value));
  let text = '';
  for (let i = 0; i < names.length; i++) {
    const member = members[names[i] as string];
    if (member !== undefined) text += (text === '' ? first[i] : next[i]) + canonical(member);
  }
  return `{${text}}`;
}

function shapeOf(keys: readonly string[]): Shape {
  const alike = shapes.get(keys.length) ?? [];
  for (const shape of alike) if (isSame(shape.keys, keys)) return shape;
  const names = keys.toSorted(byCodeUnits);
  const first = names.map((name) => `${JSON.stringify(name)}:`);
  const shape = { keys, names, first, next: first.map((head) => `,${head}`) };
  if (keys.length <= most.members && keys.join('').length <= most.nameUnits) {
    shapes.set(keys.length, [shape, ...alike].slice(0, most.shapesAlike));
  }
  return shape;
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : 1;
}

const strings = /"(?:[^"\\]|\\.)*"/g;

/**
 * Whether an object in a JSON text has a member twice: `JSON.parse` keeps the last one, other readers the first.
 * @param value what the text was parsed to
 */
export function hasRepeatedMember(text: string, value: unknown): boolean {
  // Outside of strings, each member has one colon, and nothing else has.
  const named = text.replaceAll(strings, '').split(':').length - 1;
  return named > membersIn(value);
}

/** Not by recursion: a body may be as deep as it is long. */
function membersIn(value: unknown): number {
  let count = 0;
  for (const left = [value]; left.length > 0; ) {
    const next = left.pop();
    if (typeof next !== 'object' || next === null) continue;
    const parts: unknown[] = Object.values(next);
    if (!Array.isArray(next)) count += parts.length;
    for (const part of parts) left.push(part);
  }
  return count;
}

/** A call and what it was answered, in the order of the clock that all clients share. */
export interface Operation<Call, Answer> {
  readonly call: Call;
  /** Absent: never answered, so that it may have taken effect at any time since, or not at all. */
  readonly answer?: Answer;
  readonly begun: number;
  readonly ended: number;
}

/** What one call does to the state when nothing else goes on. */
export type Specification<State, Call, Answer> = (state: State, call: Call) => readonly [State, Answer];

/**
 * Whether the calls could have taken effect one after the other, each between its beginning and its end, with just these
 * answers (Wing and Gong's search, with the visited places remembered).
 */
export function isLinearizable<State, Call, Answer>(
  history: readonly Operation<Call, Answer>[],
  start: State,
  specification: Specification<State, Call, Answer>,
): boolean {
  const visited = new Set<string>();
  const search = (done: bigint, state: State): boolean => {
    const open = history.flatMap((operation, at) => ((done >> BigInt(at)) & 1n ? [] : [{ operation, at }]));
    if (open.every(({ operation }) => operation.answer === undefined)) return true;
    const place = `${done} ${JSON.stringify(state)}`;
    if (visited.has(place)) return false;
    visited.add(place);
    // Whatever ended before another began comes first.
    const firstEnd = Math.min(...open.map(({ operation }) => operation.ended));
    for (const { operation, at } of open) {
      if (operation.begun > firstEnd) continue;
      const [next, answer] = specification(state, operation.call);
      if (operation.answer !== undefined && JSON.stringify(answer) !== JSON.stringify(operation.answer))
        continue;
      // One that was never answered and changes nothing need not have been: that is fewer ways to try.
      if (operation.answer === undefined && JSON.stringify(next) === JSON.stringify(state)) continue;
      if (search(done | (1n << BigInt(at)), next)) return true;
    }
    return false;
  };
  return search(0n, start);
}

import { type Clause, ConformanceError } from '../clause.ts';

/** The names of the clauses that an implementation breaks. Rejects with whatever a clause fails with but breaking. */
export async function brokenClauses<Factory>(
  clauses: readonly Clause<Factory>[],
  makeFactory: () => Factory,
): Promise<string[]> {
  const names: string[] = [];
  for (const clause of clauses) {
    try {
      await clause.run(makeFactory());
    } catch (error) {
      if (!(error instanceof ConformanceError)) throw error;
      names.push(clause.name);
    }
  }
  return names;
}

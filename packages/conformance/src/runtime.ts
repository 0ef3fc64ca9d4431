import type { RuntimeClause } from './runtime-clause.ts';
import { killClauses } from './runtime-kills.ts';
import { lookClauses } from './runtime-looks.ts';

export type { RuntimeClause, RuntimeFactory, Victim } from './runtime-clause.ts';

/** Every promise of the `Runtime` port. Each clause opens its own runtime, starts its own victims and disposes of them. */
export const runtimeClauses: readonly RuntimeClause[] = [...killClauses, ...lookClauses];

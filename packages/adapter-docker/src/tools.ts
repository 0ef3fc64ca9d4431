import type { Engine } from './engine.ts';
import type { Locality } from './locality.ts';
import type { RuntimeSettings } from './options.ts';

/** What a runtime works with. */
export interface Tools extends RuntimeSettings {
  readonly engine: Engine;
  readonly locality: Locality;
}

import { authority } from './authority.ts';
import { claims } from './claims.ts';
import { deadlines } from './deadlines.ts';
import { deaths } from './deaths.ts';
import type { DeliberateBug } from './deliberate-bug.ts';
import { gates } from './gates.ts';
import { records } from './records.ts';

export const deliberateBugs: readonly DeliberateBug[] = [
  ...gates,
  ...claims,
  ...deaths,
  ...deadlines,
  ...records,
  ...authority,
];

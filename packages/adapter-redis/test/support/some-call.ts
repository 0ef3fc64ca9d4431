import type { SeededRandom } from '../../../../campaigns/seeded-random.ts';
import type { Call } from './claim-and-gate.ts';

/** Something that races with everything else in a stop. */
export function someCall(random: SeededRandom, name: string): Call {
  const agent = random.pick(['a', 'b']);
  switch (random.integer(0, 6)) {
    case 0:
    case 1:
      return { do: 'admit', agent };
    case 2:
    case 3:
      return { do: 'claim', agent, from: random.integer(0, 3), by: name };
    case 4:
      return random.chance(0.5)
        ? { do: 'place', order: random.pick(['o', 'p']) }
        : { do: 'settle', order: random.pick(['o', 'p']) };
    default:
      return { do: 'read', agent };
  }
}

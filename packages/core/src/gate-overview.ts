import type { Gate } from './gate.ts';

/** Of the gates that stand those that matter most, and how many stand in all. */
export interface GateOverview {
  /** In the order of their placing. */
  readonly gates: readonly Gate[];
  readonly count: number;
}

/** At most `most`: whatever opens some day comes before what never does, and the newer before the older. */
export function overviewOf(gates: readonly Gate[], most: number): GateOverview {
  if (gates.length <= most) return { gates, count: gates.length };
  const byWeight = [
    ...gates.filter(({ opens }) => opens === 'never'),
    ...gates.filter(({ opens }) => opens !== 'never'),
  ];
  const kept = new Set(byWeight.slice(-most));
  return { gates: gates.filter((gate) => kept.has(gate)), count: gates.length };
}

/** Tests of what core does as a whole, the quick ones first. */
const behaviour = [
  'stop-run',
  'looks',
  'kills',
  'hardening',
  'ladder',
  'pursuit',
  'settlement',
  'races',
  'admissions',
  'book',
  'recovery',
  'killswitch',
];

export interface Target {
  /** Asked in this order; below `packages/core/src`, without ending. */
  readonly tests: readonly string[];
  /** The share of mutants that has to be noticed. Wanted is 0.9 everywhere; less stands where that is not shown yet. */
  readonly atLeast: number;
}

/** What is mutated, below `packages/core/src`, without ending. */
export const targets: Readonly<Record<string, Target>> = {
  lifecycle: { tests: ['lifecycle', ...behaviour], atLeast: 0.9 },
  'role-policy': { tests: ['role-policy', 'killswitch'], atLeast: 0.9 },
  sweep: { tests: ['release-claims', 'sweep', ...behaviour], atLeast: 0.9 },
  'stop-run': { tests: ['let-go', 'take-over', ...behaviour, 'sweep'], atLeast: 0.85 },
  looks: { tests: ['let-go', 'take-over', ...behaviour, 'sweep'], atLeast: 0.8 },
  sight: { tests: [...behaviour], atLeast: 0.9 },
  'current-order': { tests: ['take-over', 'joined-unheard', ...behaviour, 'placing'], atLeast: 0.4 },
  'order-record': { tests: ['recovery', ...behaviour, 'order-record'], atLeast: 0.4 },
  placing: {
    tests: ['placing-turns', 'joining-on-record', 'joined-unheard', ...behaviour, 'placing'],
    atLeast: 0.75,
  },
  settlement: { tests: ['late-handles', 'take-over', 'distrust', ...behaviour], atLeast: 0.75 },
  kills: { tests: ['let-go', ...behaviour], atLeast: 0.8 },
  volley: { tests: ['volley', ...behaviour], atLeast: 0.9 },
  deadline: { tests: ['deadline', ...behaviour], atLeast: 0.9 },
  urgency: { tests: ['place-order', ...behaviour], atLeast: 0.9 },
  pursuit: {
    tests: ['pursuit-copies', 'locating', 'ladder', 'pursuit', 'let-go', ...behaviour],
    atLeast: 0.8,
  },
  urgencies: { tests: ['ladder', ...behaviour], atLeast: 0.4 },
  locating: { tests: ['locating', 'ladder', 'pursuit', ...behaviour], atLeast: 0.4 },
  'place-order': { tests: ['place-order', ...behaviour], atLeast: 0.9 },
  'audit-facts': { tests: ['audit-facts', ...behaviour], atLeast: 0.9 },
  'audit-chain': { tests: ['audit-chain', 'memory/memory-audit', 'verify-chain'], atLeast: 0.9 },
  canonical: { tests: ['canonical', 'audit-chain'], atLeast: 0.9 },
  'verify-chain': { tests: ['verify-chain'], atLeast: 0.9 },
  recorder: {
    tests: [
      'recorder',
      'told-facts',
      'contained',
      'lifetime',
      'races',
      'settlement',
      'recovery',
      'killswitch',
    ],
    atLeast: 0.9,
  },
  'waiting-facts': { tests: ['recorder', 'crowded-record'], atLeast: 0.8 },
  flushes: { tests: ['recorder', ...behaviour], atLeast: 0.8 },
  'shared-timer': { tests: ['shared-timer'], atLeast: 0.9 },
  unanswered: { tests: ['unanswered'], atLeast: 0.9 },
};

/** Tests of what core does as a whole, the quick ones first. */
const behaviour = ['killswitch', 'pursuit', 'races', 'settlement', 'stop-run', 'ladder', 'admissions', 'book', 'recovery'];

/** What is mutated, and which tests are asked, in this order; both below `packages/core/src`, without ending. */
export const targets: Readonly<Record<string, readonly string[]>> = {
  lifecycle: ['lifecycle', ...behaviour],
  'role-policy': ['role-policy', 'killswitch'],
  sweep: [...behaviour, 'sweep'],
  'stop-run': ['stop-run', ...behaviour, 'sweep'],
  kills: ['stop-run', ...behaviour],
  volley: ['volley', ...behaviour],
  deadline: ['deadline', ...behaviour],
  urgency: ['place-order', ...behaviour],
  pursuit: ['ladder', ...behaviour],
  'place-order': ['place-order', ...behaviour],
  'audit-facts': ['audit-facts', ...behaviour],
  'audit-chain': ['audit-chain', 'memory/memory-audit', 'verify-chain'],
  canonical: ['canonical', 'audit-chain'],
  'verify-chain': ['verify-chain'],
  recorder: ['recorder', 'killswitch', 'races', 'settlement', 'recovery'],
};

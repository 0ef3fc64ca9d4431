import type { Commute } from './explore.ts';
import type { Turn } from './turns.ts';

/**
 * For hosts that share nothing but what is behind their ports: two calls of different hosts commute if they go to
 * different ports, or if neither changes anything there, or if one is only an answer on its way back. Events stand on
 * record in any order; no fault depends on it.
 */
export const apart: Commute = (one, other) => {
  if (one.host === other.host) return false;
  if (one.call.endsWith(' answer') || other.call.endsWith(' answer')) return true;
  if (portOf(one) !== portOf(other) || portOf(one) === 'audit') return true;
  return isLook(one) && isLook(other);
};

function portOf({ call }: Turn): string {
  return call.slice(0, call.indexOf('.'));
}

function isLook({ call }: Turn): boolean {
  return /^(state\.(get|list)\w+|runtime\.inspect)$/.test(call);
}

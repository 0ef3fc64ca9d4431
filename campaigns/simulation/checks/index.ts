import type { Round } from '../round.ts';
import { admissionComesFromTheStore, nobodyPassesAGate, unplacedGatesStandHere } from './admissions.ts';
import { blindnessHasACause, everyRequestIsAnswered, reportsAreTrue } from './answers.ts';
import { authorityHolds, foreignLooksUnknown, openGatesStopNobody, releasesArePeoples } from './authority.ts';
import type { Check } from './check.ts';
import {
  deathComesInTime,
  everyStopIsGated,
  joiningHardens,
  oneOrderAtATime,
  ordersOnlyHarden,
  ownAgentsDieAnyway,
} from './deadlines.ts';
import { killsAreOnRecord, recordedDeathIsReal } from './kills-on-record.ts';
import { deathIsReal, endsAreAsTold, oneTerminalState } from './lifecycles.ts';
import {
  callersAreOnRecord,
  chainsAreWhole,
  cleanupsAreOnRecord,
  denialsAreOnRecord,
  ordersAreOnRecord,
  releasesAreOnRecord,
  settlementsAddUp,
} from './record.ts';
import { onlyGatesRefuse, onlyNamedRefusals, releasesAreRefusedForACause } from './refusals.ts';
import { everythingSettles, nobodyIsLeftAlive, nothingLingers, survivorsAreNamed } from './rest.ts';

export const checks = {
  nobodyPassesAGate,
  admissionComesFromTheStore,
  unplacedGatesStandHere,
  onlyGatesRefuse,
  oneTerminalState,
  endsAreAsTold,
  deathIsReal,
  everyRequestIsAnswered,
  onlyNamedRefusals,
  releasesAreRefusedForACause,
  reportsAreTrue,
  blindnessHasACause,
  deathComesInTime,
  ownAgentsDieAnyway,
  ordersOnlyHarden,
  joiningHardens,
  oneOrderAtATime,
  everyStopIsGated,
  authorityHolds,
  foreignLooksUnknown,
  openGatesStopNobody,
  releasesArePeoples,
  chainsAreWhole,
  ordersAreOnRecord,
  settlementsAddUp,
  callersAreOnRecord,
  killsAreOnRecord,
  recordedDeathIsReal,
  denialsAreOnRecord,
  releasesAreOnRecord,
  cleanupsAreOnRecord,
  everythingSettles,
  nobodyIsLeftAlive,
  survivorsAreNamed,
  nothingLingers,
} satisfies Record<string, Check>;

export type CheckName = keyof typeof checks;

/** Every promise that the round broke, each line with the name of the check that found it. */
export function judge(round: Round): string[] {
  const broken = Object.entries(checks).flatMap(([name, check]) =>
    check(round).map((line) => `${line} [${name}]`),
  );
  return [...round.history.broken.map((line) => `${line} [on the spot]`), ...broken];
}

import { type Clock, InvalidConfigurationError, type Killswitch, systemClock } from '@agent-killswitch/core';
import { register as defaultRegister, type Registry } from 'prom-client';
import { countFacts } from './facts.ts';
import { showState } from './state.ts';

export interface MetricsOptions {
  /** Where the metrics are registered. Default: prom-client's own. Two killswitches in one process need two. */
  readonly register?: Registry;
  /** How long a scrape waits for the state store, in milliseconds. Default 2,000. */
  readonly stateMs?: number;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

export interface KillswitchMetrics {
  /** Counts no more, and takes the metrics out of the registry. */
  stop(): void;
}

/**
 * Registers the metrics of a killswitch, all named `killswitch_…`. Counters count what this process has put on record since
 * it was started; gauges are looked up at each scrape. Labels never hold an id: their number is bounded.
 * @throws InvalidConfigurationError, or Error if the registry has metrics of these names already.
 */
export function killswitchMetrics(ks: Killswitch, options: MetricsOptions = {}): KillswitchMetrics {
  const { register = defaultRegister, stateMs = 2_000, clock = systemClock } = options;
  const faults = [
    ...(typeof register?.registerMetric === 'function'
      ? []
      : ['register: must be a registry of prom-client']),
    ...(Number.isInteger(stateMs) && stateMs > 0 && stateMs <= 60_000
      ? []
      : ['stateMs: must be 1 to 60,000']),
  ];
  if (faults.length > 0)
    throw new InvalidConfigurationError(faults.map((fault) => `killswitchMetrics ${fault}`));
  const facts = countFacts(ks, register);
  const state = showState(ks, { register, stateMs, clock });
  return {
    stop() {
      for (const off of [...facts.offs, ...state.offs]) off();
      for (const name of [...facts.names, ...state.names]) register.removeSingleMetric(name);
    },
  };
}

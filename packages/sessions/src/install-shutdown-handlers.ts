import { type Killswitch, maxReasonLength, reasonSchema } from '@agent-killswitch/core';
import { contained } from './contained.ts';
import { Shutdown, type ShutdownReport } from './shutdown.ts';
import { type ShutdownOptions, settingsOf } from './shutdown-options.ts';

export interface ShutdownHandlers {
  /**
   * Shuts down without a signal, and without ending the process. Every call returns the same promise, which never rejects. A reason
   * that cannot stand on the record, such as an event of whoever called this, is left out.
   */
  shutdown(reason?: string): Promise<ShutdownReport>;
  /** Takes the handlers away again. A shutdown that is under way goes on. */
  remove(): void;
}

/**
 * On SIGTERM and SIGINT: nothing starts on this host any more, its agents are asked to end for `graceMs`, then killed as by any
 * stop, on record; the killswitch is closed, then `close` is called, and the process exits. With 0 if everybody was seen dead
 * and everything is saved, else with 1, after one line for each fault. A second signal ends the grace at once.
 *
 * Call it once, after `ks.start()`. It takes `graceMs` and the killswitch's `deadlines.confirmWithin` at the longest, and twice
 * `closeMs`: whoever sends the signal has to wait that long before SIGKILL.
 * @throws InvalidConfigurationError
 */
export function installShutdownHandlers(ks: Killswitch, options: ShutdownOptions = {}): ShutdownHandlers {
  const settings = settingsOf(ks, options);
  const shutdown = new Shutdown(ks, settings);
  let isEnding = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (shutdown.isUnderWay) {
      shutdown.harden(`${signal}, again`);
      contained(() => settings.log(`${signal} while shutting down: the grace is over`));
    }
    // Also if it was begun by hand, without an exit.
    if (!isEnding) void shutdown.run(signal).then(({ exitCode }) => settings.exit(exitCode));
    isEnding = true;
  };
  for (const signal of settings.signals) process.on(signal, onSignal);
  return {
    shutdown: (reason) => shutdown.run(recordable(reason)),
    remove() {
      for (const signal of settings.signals) process.off(signal, onSignal);
    },
  };
}

/** Whatever it was called with: the agents have to be stopped. */
function recordable(reason: unknown): string {
  const text = typeof reason === 'string' ? reason.slice(0, maxReasonLength) : undefined;
  return reasonSchema.safeParse(text).data ?? 'the service shuts down';
}

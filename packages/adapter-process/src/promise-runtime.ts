import { parseAgentId } from './agent-id.ts';
import type { HostedHandle } from './hosted-handle.ts';
import { type HostedRuntime, hosted } from './hosted-runtime.ts';
import { type HostedRuntimeOptions, parseHostedOptions } from './options.ts';

/** What an agent that is a promise does. `signal` aborts when it is told to end; `signal.reason` is an `AgentStoppedError`. */
export type PromiseWork<T> = (context: {
  readonly agentId: string;
  readonly signal: AbortSignal;
}) => Promise<T>;

export interface PromiseAgent<T> {
  readonly handle: HostedHandle;
  /** How the work ended. Never rejects. */
  readonly ended: Promise<PromiseSettledResult<T>>;
}

export interface PromiseRuntime extends HostedRuntime {
  /**
   * Starts work in this process as an agent. It is over when its promise settles, and that is all that is seen of it:
   * whatever it leaves running behind an earlier return is not known.
   * @throws InvalidInputError
   */
  spawnAgent<T>(work: PromiseWork<T>, options: { readonly agentId: string }): PromiseAgent<T>;
}

/**
 * The runtime for agents that are promises of this very process. A kill aborts their signal, with the reason; nothing can
 * force one that does not heed it: it stays `alive` here and ends up as `unconfirmed` in the report, honestly.
 * @throws InvalidConfigurationError
 */
export function promiseRuntime(options: HostedRuntimeOptions = {}): PromiseRuntime {
  const { runtime, add } = hosted(parseHostedOptions('promise', options));
  return {
    ...runtime,
    spawnAgent(work, options) {
      const agentId = parseAgentId(options.agentId);
      const controller = new AbortController();
      const { handle, end } = add({
        agentId,
        evidence: 'its promise has not settled, and nothing can force it',
        abort: (reason) => controller.abort(reason),
      });
      const { signal } = controller;
      const begin = async (): ReturnType<typeof work> => {
        // Not before the caller has the handle; and not at all if it was told to end by then.
        await undefined;
        signal.throwIfAborted();
        return work({ agentId, signal });
      };
      const ended = Promise.allSettled([begin()]).then(([result]) => {
        end(`its promise was ${result.status}`);
        return result;
      });
      return { handle, ended };
    },
  };
}

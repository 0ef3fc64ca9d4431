import type { Agent } from './agent.ts';
import {
  AgentExistsError,
  GateClosedError,
  ParentKilledError,
  StateUnavailableError,
  TaskConflictError,
  UnknownTargetError,
} from './errors.ts';
import type { Admission } from './ports/state-store.ts';

/**
 * Throws, by name, what the store has refused an agent for.
 *
 * @throws GateClosedError, AgentExistsError, UnknownTargetError, ParentKilledError, TaskConflictError.
 * @throws StateUnavailableError if the answer is none.
 */
export function demandAdmitted(agent: Agent, admission: Admission): void {
  switch (admission.result) {
    case 'admitted':
      return;
    case 'gated':
      throw new GateClosedError(admission.gate);
    case 'exists':
      throw new AgentExistsError(`Agent id "${agent.agentId}" was used before: give every run a new id`);
    case 'parent-unknown':
      throw new UnknownTargetError('agent', agent.parentId ?? '');
    case 'parent-killed':
      throw new ParentKilledError(
        `Agent "${agent.parentId}", or one that it descends from, was killed: its children may not start`,
      );
    case 'task-conflict':
      throw new TaskConflictError(
        `Task id "${agent.taskId}" is taken: a task has one workspace and one owner`,
      );
    default:
      // Whoever was not let in by name is not let in (I10).
      throw new StateUnavailableError('The state store gave an answer to an admission that is none');
  }
}

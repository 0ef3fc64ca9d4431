import { type Admission, type Agent, listKeysOf, scopeKeysOf, type Task } from '@agent-killswitch/core';
import type { Caller } from './caller.ts';
import { agentHead, agentTail, fixed } from './envelope.ts';
import { StateRecordError } from './errors.ts';
import type { Keys } from './keys.ts';
import type { Link } from './link.ts';
import { admit } from './lua/admit.ts';
import { putBackTasks } from './lua/put-back-tasks.ts';
import { readRecord } from './lua/reads.ts';
import { putBackAgents, swapAgents } from './lua/swap-agents.ts';
import type { Records } from './records.ts';
import { swapBatch } from './swap-batch.ts';

/** Most agents that one script changes: other clients have their turn between. */
const mostSwaps = 100;
/** Most such scripts on their way at once. */
const mostBatches = 10;

/** Agents and their tasks. See `StateStore`. */
export class Agents {
  private readonly keys: Keys;
  private readonly link: Link;
  private readonly records: Records;
  private readonly caller: Caller;

  constructor(link: Link, records: Records, caller: Caller) {
    this.keys = link.keys;
    this.link = link;
    this.records = records;
    this.caller = caller;
  }

  async admit(agent: Agent): Promise<Admission> {
    const { keys } = this;
    const { agentId, taskId, workspaceId, ownerId, parentId, lineage } = agent;
    const call = this.caller.next();
    const scopes = scopeKeysOf(agent);
    const lists = listKeysOf(agent).filter((key) => key !== `agent:${agentId}`);
    const ancestors = parentId === undefined ? [] : [...new Set([parentId, ...lineage])];
    const task = fixed('task', { taskId, workspaceId, ownerId });
    const answer = await this.link.run(
      admit,
      [
        ...[keys.shut, keys.gates, keys.agent(agentId), keys.task(taskId)],
        ...ancestors.map((id) => keys.agent(id)),
        ...lists.map((key) => keys.list(key)),
      ],
      [
        ...[agentHead(agent, call), agentTail(agent), call, task, agentId, String(ancestors.length)],
        ...[keys.channel, this.caller.event({ admitted: agentId }), String(scopes.length), ...scopes],
      ],
    );
    const [result, ...more] = answer as [Admission['result'], ...(string | null)[]];
    if (result === 'admitted') this.link.note({ seq: Number(more[0]) });
    if (result === 'gated') {
      const orderId = more[0] ?? '';
      return { result, gate: this.records.gate(orderId, more[1] ?? '').record };
    }
    if (result === 'task-conflict') {
      // Another record than ours: of others, or one that cannot be read, which is not the same.
      const stored = this.records.task(taskId, more[0] ?? '');
      if (stored.workspaceId === workspaceId && stored.ownerId === ownerId)
        throw new StateRecordError(keys.task(taskId), 'it is not written as this version writes it');
    }
    return { result };
  }

  async getAgent(agentId: string): Promise<Agent | undefined> {
    const raw = (await this.link.run(readRecord, [this.keys.agent(agentId)], [])) as string | null;
    return raw === null ? undefined : this.records.agent(agentId, raw).record;
  }

  async getTask(taskId: string): Promise<Task | undefined> {
    const raw = (await this.link.run(readRecord, [this.keys.task(taskId)], [])) as string | null;
    return raw === null ? undefined : this.records.task(taskId, raw);
  }

  /** Those that cannot be stored, each for itself, hinder no other: then it rejects after all have been tried. */
  async swapAgents(agents: readonly Agent[]): Promise<readonly boolean[]> {
    const won: boolean[] = new Array(agents.length).fill(false);
    let next = 0;
    let fault: unknown;
    const worker = async (): Promise<void> => {
      while (next < agents.length) {
        const start = next;
        next += mostSwaps;
        try {
          const answers = await this.swapBatch(agents.slice(start, next));
          for (const [n, answer] of answers.entries()) {
            won[start + n] = answer === '1';
            if (answer !== '0' && answer !== '1')
              fault ??= new StateRecordError(answer, 'it is of another type');
          }
        } catch (error) {
          fault ??= error;
        }
      }
    };
    await Promise.all(Array.from({ length: mostBatches }, worker));
    if (fault !== undefined) throw fault;
    return won;
  }

  /** See `FoundState`. */
  async putBackAgents(agents: readonly Agent[]): Promise<void> {
    for (let at = 0; at < agents.length; at += mostSwaps) {
      const part = agents.slice(at, at + mostSwaps);
      const tasks = new Map(part.map((agent) => [agent.taskId, agent]));
      const records = [...tasks].map(([taskId, { workspaceId, ownerId }]) =>
        fixed('task', { taskId, workspaceId, ownerId }),
      );
      await this.link.run(
        putBackTasks,
        [...tasks.keys()].map((id) => this.keys.task(id)),
        records,
      );
      const { keys, args } = swapBatch(this.keys, part, this.caller.next(), true);
      const head = [this.keys.channel, this.caller.id];
      const answers = this.noted(await this.link.run(putBackAgents, keys, [...head, ...args]));
      const fault = answers.find((answer) => answer !== '0' && answer !== '1');
      if (fault !== undefined) throw new StateRecordError(fault, 'it is of another type');
    }
  }

  private async swapBatch(agents: readonly Agent[]): Promise<string[]> {
    const answers = await this.sendSwaps(agents, false);
    const relisted = answers.flatMap((answer, n) => (answer === '2' ? [n] : []));
    if (relisted.length === 0) return answers;
    const again = await this.sendSwaps(
      relisted.flatMap((n) => agents[n] ?? []),
      true,
    );
    for (const [place, n] of relisted.entries()) answers[n] = again[place] ?? '0';
    return answers;
  }

  private async sendSwaps(agents: readonly Agent[], isRelisting: boolean): Promise<string[]> {
    const { keys, args } = swapBatch(this.keys, agents, this.caller.next(), isRelisting);
    const answer = await this.link.run(swapAgents, keys, [this.keys.channel, this.caller.id, ...args]);
    return this.noted(answer);
  }

  /** What a script says of each agent, without the sequence number at the end. */
  private noted(answer: unknown): string[] {
    const answers = [...(answer as string[])];
    this.link.note({ seq: Number(answers.pop()) });
    return answers;
  }
}

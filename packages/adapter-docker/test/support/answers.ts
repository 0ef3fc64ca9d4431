import type { Answer } from './faulty-engine.ts';

/** What engines say of a container's state; to be made wrong. */
export const running = { Status: 'running', Running: true, Paused: false, Restarting: false, Pid: 0 };
export const exited = { ...running, Status: 'exited', Running: false };

/** Who another engine says that it is. */
export const elsewhere: Answer = {
  status: 200,
  body: '{"ID":"e","Name":"elsewhere","DockerRootDir":"/d"}',
};

export function noSuch(containerId: string): Answer {
  return { status: 404, body: JSON.stringify({ message: `No such container: ${containerId}` }) };
}

/** An answer to inspect. */
export function stateAnswer(containerId: string, State: object, more: object = {}): Answer {
  const Config = { Labels: {} };
  const HostConfig = { RestartPolicy: { Name: '' } };
  return { status: 200, body: JSON.stringify({ Id: containerId, State, Config, HostConfig, ...more }) };
}

/**
 * What is used of a `dockerode` client: any `new Docker(…)` is one, for a local socket, TCP, TLS or SSH. Make it ready
 * yourself; it needs no timeouts, every call here has one of its own.
 */
export interface DockerClient {
  getContainer(id: string): ContainerClient;
  createContainer(options: object): Promise<{ readonly id: string }>;
  listContainers(options?: object): Promise<unknown>;
  info(options?: object): Promise<unknown>;
}

export interface ContainerClient {
  inspect(options?: object): Promise<unknown>;
  start(options?: object): Promise<unknown>;
  stop(options?: object): Promise<unknown>;
  kill(options?: object): Promise<unknown>;
  remove(options?: object): Promise<unknown>;
  update(options: object): Promise<unknown>;
}

import type { DockerHandle, Local } from './handle.ts';
import type { Locality, Sighting } from './locality.ts';

const most = 10_000;

/**
 * Where containers were found to be on this machine, for handles that do not say it themselves: made before their container
 * ran, or on another host. Only what was seen is kept; the oldest gives way (I12).
 */
export class KnownLocals {
  readonly #locality: Locality;
  readonly #found = new Map<string, Local>();

  constructor(locality: Locality) {
    this.#locality = locality;
  }

  of(target: DockerHandle): Local | undefined {
    return this.isInHandle(target) ? (target.local ?? undefined) : this.#found.get(target.containerId);
  }

  /** Whether the handle says itself where it is on this machine. */
  isInHandle({ local }: DockerHandle): boolean {
    return local !== null && this.#locality.isHere(local);
  }

  /** Takes note of the container, if the pid that its engine names is seen here to be its: that counts more than what was searched. */
  learn({ containerId }: DockerHandle, pid: number): Local | undefined {
    return this.#keep(containerId, this.#locality.capture(containerId, pid));
  }

  /**
   * Looks for it through all of `/proc`, for want of an engine that could name a pid, or that is to be believed. `undefined` if
   * nothing can be seen from here.
   * @throws the system's error if `/proc` cannot be read.
   */
  async search({ containerId }: DockerHandle): Promise<Sighting | undefined> {
    const seen = await this.#locality.search(containerId);
    this.#keep(containerId, seen?.local);
    return seen;
  }

  forget(containerId: string): void {
    this.#found.delete(containerId);
  }

  #keep(containerId: string, local: Local | undefined): Local | undefined {
    if (local === undefined) return undefined;
    this.#found.delete(containerId);
    this.#found.set(containerId, local);
    const [oldest] = this.#found.keys();
    if (this.#found.size > most && oldest !== undefined) this.#found.delete(oldest);
    return local;
  }
}

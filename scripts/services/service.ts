import type { Ground } from './ground.ts';

/** A real service that tests talk to. One row of the table in `table.ts`. */
export interface Service {
  readonly name: string;
  /** The environment variable that names one which is there already, and by which tests are told of it. */
  readonly variable: string;
  /** Talks to it. @throws if it does not answer as it should. */
  probe(url: string): Promise<void>;
  /**
   * Installs it if need be and starts a private one on a free port, in the ground's folder. Answers its URL when it
   * answers.
   * @throws ServiceUnavailableError if this machine or user cannot have it.
   */
  start(ground: Ground): Promise<string>;
  /** Puts into a running one what tests expect there; answers further environment variables for them. */
  furnish?(url: string, ground: Ground): Promise<Record<string, string>>;
}

/** This machine or user cannot have the service. Tests that need it are skipped; under CI that is a failure. */
export class ServiceUnavailableError extends Error {
  override readonly name = 'ServiceUnavailableError';
}

/** An environment variable names a service that does not answer. Never skipped: somebody meant it to be there. */
export class NamedServiceError extends Error {
  override readonly name = 'NamedServiceError';

  constructor(variable: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(
      `${variable} names a service that does not answer: ${why}. Correct it, or unset it to have one started.`,
    );
  }
}

/** Whether a missing service is a failure instead of a skip. */
export const isCi: boolean = /^(true|1)$/i.test(process.env.CI ?? '');

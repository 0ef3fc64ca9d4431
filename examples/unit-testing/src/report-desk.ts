import { randomUUID } from 'node:crypto';
import type { Principal } from '@agent-killswitch/core';
import type { Sessions, SessionTask } from '@agent-killswitch/sessions';

/** Writes one report, chapter by chapter, until it is done or told to end. */
export type Writer = (topic: string) => SessionTask<string>;

/** Somebody's service: customers order reports, which agents write. It knows nothing of where state and record are kept. */
export class ReportDesk {
  readonly #sessions: Sessions;
  readonly #writer: Writer;

  constructor(sessions: Sessions, writer: Writer) {
    this.#sessions = sessions;
    this.#writer = writer;
  }

  /** The id of the order. Throws what `Sessions.start` throws, for example while everything is stopped. */
  async order(customerId: string, topic: string): Promise<string> {
    const orderId = `report-${randomUUID()}`;
    await this.#sessions.start(orderId, { ownerId: customerId, workspaceId: 'desk' }, this.#writer(topic));
    return orderId;
  }

  /** In words for the customer. */
  async cancel(customer: Principal, orderId: string): Promise<string> {
    const report = await this.#sessions.kill(orderId, {
      principal: customer,
      reason: 'cancelled by the customer',
    });
    if (report === false) return 'There is nothing to cancel';
    return report.failed === 0 ? 'Cancelled' : 'We are still trying to stop it';
  }

  /** How far a report is, whatever has become of its writer. */
  async progress(orderId: string): Promise<unknown> {
    const session = await this.#sessions.get(orderId);
    return session && { status: session.status, chapters: session.checkpoint?.value ?? 0 };
  }
}

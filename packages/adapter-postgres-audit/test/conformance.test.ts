/** @services postgres */
import { type AuditSinkFactory, auditSinkClauses } from '@agent-killswitch/conformance';
import { it } from 'vitest';
import { withService } from '../../../test/support/with-service.ts';
import { postgresAudit } from '../src/index.ts';
import { makeDatabase, type TestDatabase } from './support/database.ts';

function factory(server: string): AuditSinkFactory {
  let database: TestDatabase;
  return {
    async open() {
      database = await makeDatabase(server);
      return postgresAudit(database.pool());
    },
    reopen: async () => postgresAudit(database.pool()),
    close: () => database.drop(),
  };
}

withService('postgres', 'DATABASE_URL', (url) => {
  for (const clause of auditSinkClauses) it(clause.name, () => clause.run(factory(url)));
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type StateStoreFactory, stateStoreClauses } from '@agent-killswitch/conformance';
import { describe, it } from 'vitest';
import { type SqliteState, sqliteState } from '../src/index.ts';

function sqliteFactory(): StateStoreFactory {
  const folder = mkdtempSync(join(tmpdir(), 'agent-killswitch-conformance-'));
  const clients: SqliteState[] = [];
  const open = async () => {
    const client = sqliteState(join(folder, 'state.db'));
    clients.push(client);
    return client;
  };
  const closeAll = () => {
    for (const client of clients.splice(0)) client.close();
  };
  return {
    open,
    openSecond: open,
    reopen: async () => {
      closeAll();
      return open();
    },
    dispose: async () => {
      closeAll();
      rmSync(folder, { recursive: true });
    },
  };
}

describe('sqliteState keeps every promise of the port', () => {
  for (const clause of stateStoreClauses) it(clause.name, () => clause.run(sqliteFactory()));
});

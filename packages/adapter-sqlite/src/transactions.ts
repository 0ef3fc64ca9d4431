import type { DatabaseSync } from 'node:sqlite';
import { FileIdentity } from './file-identity.ts';
import { tooNew } from './migrate.ts';
import { migrations } from './schema.ts';
import type { Statements } from './statements.ts';

/** Changes of the database: each all or nothing, in the file that was opened, of the version that is known here. */
export class Transactions {
  private readonly file: string;
  private readonly database: DatabaseSync;
  private readonly statements: Statements;
  private readonly identity: FileIdentity;

  constructor(file: string, database: DatabaseSync, statements: Statements) {
    this.file = file;
    this.database = database;
    this.statements = statements;
    this.identity = new FileIdentity(file);
  }

  /** @throws what `change` or SQLite throws; then nothing was changed. */
  run<T>(change: (sql: Statements) => T): T {
    const sql = this.statements;
    if (this.database.isTransaction) sql.rollback.run();
    this.identity.check();
    sql.begin.run();
    try {
      const version = sql.version.get()?.user_version;
      if (version !== migrations.length) throw tooNew(this.file, Number(version), migrations.length);
      const answer = change(sql);
      sql.commit.run();
      return answer;
    } finally {
      if (this.database.isTransaction) sql.rollback.run();
    }
  }
}

/** "AKSW": what marks a SQLite file as one of ours (`PRAGMA application_id`). */
export const applicationId = 0x41_4b_53_57;

/**
 * Each entry takes the file from the version of its index to the next (`PRAGMA user_version`). Published entries never
 * change. A new field in a record needs an entry too, if only to keep older versions from reading it.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE tasks (
    task_id TEXT PRIMARY KEY,
    record TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- Agents are never deleted, so that no id is used twice and seq only rises.
  CREATE TABLE agents (
    seq INTEGER PRIMARY KEY,
    agent_id TEXT NOT NULL UNIQUE,
    revision INTEGER NOT NULL,
    status TEXT NOT NULL,
    record TEXT NOT NULL
  ) STRICT;

  -- Under which keys an agent is listed now.
  CREATE TABLE listings (
    list_key TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (list_key, seq)
  ) STRICT, WITHOUT ROWID;

  -- A kill record may name an order that was decided while this file could not be written.
  CREATE TABLE order_agents (
    order_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (order_id, seq)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE orders (
    seq INTEGER PRIMARY KEY,
    order_id TEXT NOT NULL UNIQUE,
    revision INTEGER NOT NULL,
    scope_key TEXT NOT NULL,
    opens TEXT NOT NULL,
    settled INTEGER NOT NULL,
    record TEXT NOT NULL
  ) STRICT;
  CREATE INDEX open_orders ON orders (scope_key, opens) WHERE settled = 0;

  CREATE TABLE gates (
    seq INTEGER PRIMARY KEY,
    order_id TEXT NOT NULL UNIQUE REFERENCES orders (order_id),
    scope_key TEXT NOT NULL,
    opens TEXT NOT NULL,
    record TEXT NOT NULL
  ) STRICT;
  CREATE INDEX gates_by_scope ON gates (scope_key);

  -- orders: the ids of the orders that are approved to be released, sorted, separated by spaces.
  CREATE TABLE approvals (
    seq INTEGER PRIMARY KEY,
    orders TEXT NOT NULL,
    principal_id TEXT NOT NULL,
    record TEXT NOT NULL,
    UNIQUE (orders, principal_id)
  ) STRICT;

  CREATE TABLE leases (
    host_id TEXT PRIMARY KEY,
    until INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
];

-- The audit record of agent-killswitch: append-only, on one hash chain per workspace. Run as the owner of the database;
-- the service itself needs no more than grants.sql gives. The database has to be in UTF-8.

CREATE SCHEMA killswitch_audit;

CREATE TABLE killswitch_audit.migrations (
  version integer PRIMARY KEY,
  applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The place of a record in reading order. A chain's positions are taken under its lock, so they rise with its seq.
CREATE SEQUENCE killswitch_audit.position AS bigint;

-- Every event id that was ever put on record, also of records that were retired since: an event counts once.
CREATE TABLE killswitch_audit.event_ids (
  event_id text COLLATE "C" PRIMARY KEY
);

CREATE TABLE killswitch_audit.records (
  position bigint NOT NULL,
  -- Which hash chain it is on: the event's workspace, or ".system" for an event about none or several.
  chain text COLLATE "C" NOT NULL,
  -- Counts from 0 on its chain, without a gap.
  seq bigint NOT NULL CHECK (seq >= 0),
  -- The hash of the record before on its chain, or 64 zeros.
  prev text COLLATE "C" NOT NULL,
  -- SHA-256, in hex, of chain, seq, prev and event, with line feeds between them.
  hash text COLLATE "C" NOT NULL,
  -- When it was put on record. Never goes back on a chain, whatever the clock does.
  stored_at timestamptz NOT NULL,
  -- The event, whole, in canonical form (RFC 8785). All columns below are taken from it.
  event json NOT NULL,
  event_id text COLLATE "C" NOT NULL,
  type text COLLATE "C" NOT NULL,
  -- When it happened, by the clock of the host that says so.
  event_time timestamptz NOT NULL,
  host_id text COLLATE "C" NOT NULL,
  workspace_id text COLLATE "C",
  order_id text COLLATE "C",
  task_id text COLLATE "C",
  agent_id text COLLATE "C",
  session_ids text[] COLLATE "C",
  owner_id text COLLATE "C",
  backend_id text COLLATE "C",
  principal_id text COLLATE "C",
  principal_kind text COLLATE "C",
  -- As it was given, but for NUL, which a text of Postgres cannot hold and which stands here as U+FFFD.
  reason text,
  -- The agent's state when it was killed.
  status_before text COLLATE "C",
  -- confirmed, unconfirmed (agents); done, failed (cleanups); settled (orders); denied (requests); released (gates).
  outcome text COLLATE "C",
  policy_version text,
  PRIMARY KEY (position, stored_at)
) PARTITION BY RANGE (stored_at);

CREATE INDEX records_by_order ON killswitch_audit.records (order_id, position) WHERE order_id IS NOT NULL;
CREATE INDEX records_by_task ON killswitch_audit.records (task_id, position) WHERE task_id IS NOT NULL;
CREATE INDEX records_by_principal ON killswitch_audit.records (principal_id, position) WHERE principal_id IS NOT NULL;
-- What a host looks through at its start: few among the many kills.
CREATE INDEX records_of_requests ON killswitch_audit.records (position) WHERE type IN
  ('order.requested', 'order.joined', 'order.settled', 'release.requested', 'gate.released');
CREATE INDEX records_by_workspace_and_time ON killswitch_audit.records (workspace_id, event_time);

-- What no month was made for in time. See make_partitions.
CREATE TABLE killswitch_audit.records_default PARTITION OF killswitch_audit.records DEFAULT;

-- Where a chain goes on after its older records were detached: its last record among them, signed by who did it.
CREATE TABLE killswitch_audit.breaks (
  chain text COLLATE "C" NOT NULL,
  seq bigint NOT NULL,
  hash text COLLATE "C" NOT NULL,
  position bigint NOT NULL,
  -- The table that the records are in now.
  detached text NOT NULL,
  made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  key_id text NOT NULL,
  signature text NOT NULL,
  PRIMARY KEY (chain, seq)
);

CREATE FUNCTION killswitch_audit.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit record is append-only: % on % is refused', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege';
END $$;

-- Makes a table append-only, also for its owner and for sessions that replicate. A partition also gets what Postgres
-- cannot have on the whole of a table that is parted by time: no two records with the same place on a chain.
CREATE FUNCTION killswitch_audit.protect(target regclass, is_partition boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON %s
    FOR EACH STATEMENT EXECUTE FUNCTION killswitch_audit.refuse_change()', target);
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER refuse_truncate', target);
  IF is_partition THEN -- those for rows it gets from its parent
    EXECUTE format('CREATE UNIQUE INDEX ON %s (chain, seq)', target);
  ELSE
    EXECUTE format('CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON %s
      FOR EACH ROW EXECUTE FUNCTION killswitch_audit.refuse_change()', target);
  END IF;
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER refuse_change', target);
END $$;

SELECT killswitch_audit.protect('killswitch_audit.records');
SELECT killswitch_audit.protect('killswitch_audit.records_default', true);
SELECT killswitch_audit.protect('killswitch_audit.event_ids');
SELECT killswitch_audit.protect('killswitch_audit.breaks');

-- Makes the partitions of this month and the next ones that are not there yet. A month of which the default partition
-- has records already stays there. Returns how many were made.
-- Bounds are written and read as texts: in ISO and UTC they mean the same whatever the session's settings are.
CREATE FUNCTION killswitch_audit.make_partitions(months integer DEFAULT 3) RETURNS integer LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, MDY' SET timezone = 'UTC' AS $$
DECLARE
  first timestamptz;
  name text;
  made integer := 0;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('killswitch_audit partitions', 0));
  FOR month IN 0 .. months LOOP
    first := (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => month)) AT TIME ZONE 'UTC';
    name := 'records_' || to_char(first AT TIME ZONE 'UTC', 'YYYY_MM');
    CONTINUE WHEN to_regclass('killswitch_audit.' || name) IS NOT NULL;
    BEGIN
      EXECUTE format('CREATE TABLE killswitch_audit.%I PARTITION OF killswitch_audit.records FOR VALUES FROM (%L) TO (%L)',
        name, first, (first AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC');
      PERFORM killswitch_audit.protect(('killswitch_audit.' || name)::regclass, true);
      made := made + 1;
    EXCEPTION WHEN check_violation THEN
      NULL; -- the default partition has records of that month
    END;
  END LOOP;
  RETURN made;
END $$;

-- Puts events on record, in this order, in one transaction that is durable when it ends; an event whose id is on file is
-- dropped. The n-th element of each array belongs to the n-th event. Waits so many milliseconds for each lock that somebody
-- else holds. Returns how many were new.
CREATE FUNCTION killswitch_audit.append_1(
  wait_ms integer, chains text[], events text[], event_ids text[], types text[], event_times timestamptz[], host_ids text[],
  workspace_ids text[], order_ids text[], task_ids text[], agent_ids text[], session_ids text[], owner_ids text[],
  backend_ids text[], principal_ids text[], principal_kinds text[], reasons text[], statuses_before text[],
  outcomes text[], policy_versions text[]
) RETURNS integer LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
  fresh text[];
  each record;
  head record;
  current_chain text;
  last_seq bigint;
  last_hash text;
  stored timestamptz;
  ords bigint[] := '{}';
  seqs bigint[] := '{}';
  prevs text[] := '{}';
  hashes text[] := '{}';
  stored_ats timestamptz[] := '{}';
BEGIN
  -- Any other one would not see what is on a chain when its lock is there.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'append_1 needs a transaction that is READ COMMITTED' USING ERRCODE = 'invalid_transaction_state';
  END IF;
  PERFORM set_config('lock_timeout', wait_ms::text, true);
  -- Whatever the session says: an event on record is on the disk.
  IF current_setting('synchronous_commit') = 'off' THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;
  -- One writer per chain at a time, from here until it is committed. Always in the same order, so that none waits in a circle.
  -- All chains share 512 locks: the server has room for some thousands, and a batch can be on as many chains.
  PERFORM pg_advisory_xact_lock(hashtext('killswitch_audit chains'), lock) FROM (
    SELECT DISTINCT (hashtextextended(c, 0) & 511)::integer AS lock FROM unnest(chains) c ORDER BY lock
  ) locks;

  WITH told AS (
    INSERT INTO killswitch_audit.event_ids AS known (event_id)
      SELECT DISTINCT u FROM unnest(event_ids) u ORDER BY u
      ON CONFLICT DO NOTHING RETURNING known.event_id
  ) SELECT array_agg(told.event_id) INTO fresh FROM told;
  IF fresh IS NULL THEN RETURN 0; END IF;

  FOR each IN
    SELECT u.chain, u.event, u.ord
    FROM unnest(chains, events) WITH ORDINALITY u(chain, event, ord)
    JOIN (
      SELECT min(i.ord) AS ord FROM unnest(event_ids) WITH ORDINALITY i(id, ord)
      WHERE i.id IN (SELECT unnest(fresh)) GROUP BY i.id
    ) first USING (ord)
    ORDER BY u.chain COLLATE "C", u.ord
  LOOP
    IF current_chain IS DISTINCT FROM each.chain THEN
      current_chain := each.chain;
      SELECT r.seq, r.hash, r.stored_at INTO head FROM killswitch_audit.records r
        WHERE r.chain = current_chain ORDER BY r.seq DESC LIMIT 1;
      IF NOT FOUND THEN
        SELECT b.seq, b.hash, b.made_at AS stored_at INTO head FROM killswitch_audit.breaks b
          WHERE b.chain = current_chain ORDER BY b.seq DESC LIMIT 1;
      END IF;
      last_seq := coalesce(head.seq, -1);
      last_hash := coalesce(head.hash, repeat('0', 64));
      stored := greatest(clock_timestamp(), head.stored_at);
    END IF;
    last_seq := last_seq + 1;
    ords := ords || each.ord;
    seqs := seqs || last_seq;
    prevs := prevs || last_hash;
    last_hash := encode(sha256(convert_to(
      current_chain || E'\n' || last_seq || E'\n' || last_hash || E'\n' || each.event, 'UTF8')), 'hex');
    hashes := hashes || last_hash;
    stored_ats := stored_ats || stored;
  END LOOP;

  INSERT INTO killswitch_audit.records
  SELECT nextval('killswitch_audit.position'), chain, seq, prev, hash, stored_at, event::json, event_id, type, event_time,
    host_id, workspace_id, order_id, task_id, agent_id, sessions::text[], owner_id, backend_id, principal_id,
    principal_kind, reason, status_before, outcome, policy_version
  FROM (
    SELECT * FROM unnest(ords, seqs, prevs, hashes, stored_ats) chained(ord, seq, prev, hash, stored_at)
    JOIN unnest(chains, events, event_ids, types, event_times, host_ids, workspace_ids, order_ids, task_ids, agent_ids,
      session_ids, owner_ids, backend_ids, principal_ids, principal_kinds, reasons, statuses_before, outcomes,
      policy_versions) WITH ORDINALITY given(chain, event, event_id, type, event_time, host_id, workspace_id, order_id,
      task_id, agent_id, sessions, owner_id, backend_id, principal_id, principal_kind, reason, status_before, outcome,
      policy_version, ord) USING (ord)
    ORDER BY ord
  ) ordered;
  RETURN cardinality(fresh);
END $$;

INSERT INTO killswitch_audit.migrations (version) VALUES (1);

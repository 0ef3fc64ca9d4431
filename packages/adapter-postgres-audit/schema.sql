CREATE SCHEMA killswitch_audit;

CREATE FUNCTION killswitch_audit.append_1(wait_ms integer, chains text[], events text[], event_ids text[], types text[], event_times timestamp with time zone[], host_ids text[], workspace_ids text[], order_ids text[], task_ids text[], agent_ids text[], session_ids text[], owner_ids text[], backend_ids text[], principal_ids text[], principal_kinds text[], reasons text[], statuses_before text[], outcomes text[], policy_versions text[]) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '5s'
    AS $$
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

CREATE FUNCTION killswitch_audit.make_partitions(months integer DEFAULT 3) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO, MDY'
    SET "TimeZone" TO 'UTC'
    AS $$
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

CREATE FUNCTION killswitch_audit.protect(target regclass, is_partition boolean DEFAULT false) RETURNS void
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION killswitch_audit.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  RAISE EXCEPTION 'the audit record is append-only: % on % is refused', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TABLE killswitch_audit.breaks (
    chain text NOT NULL COLLATE pg_catalog."C",
    seq bigint NOT NULL,
    hash text NOT NULL COLLATE pg_catalog."C",
    "position" bigint NOT NULL,
    detached text NOT NULL,
    made_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    key_id text NOT NULL,
    signature text NOT NULL
);

CREATE TABLE killswitch_audit.event_ids (
    event_id text NOT NULL COLLATE pg_catalog."C"
);

CREATE TABLE killswitch_audit.migrations (
    version integer NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE SEQUENCE killswitch_audit."position"
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE killswitch_audit.records (
    "position" bigint NOT NULL,
    chain text NOT NULL COLLATE pg_catalog."C",
    seq bigint NOT NULL,
    prev text NOT NULL COLLATE pg_catalog."C",
    hash text NOT NULL COLLATE pg_catalog."C",
    stored_at timestamp with time zone NOT NULL,
    event json NOT NULL,
    event_id text NOT NULL COLLATE pg_catalog."C",
    type text NOT NULL COLLATE pg_catalog."C",
    event_time timestamp with time zone NOT NULL,
    host_id text NOT NULL COLLATE pg_catalog."C",
    workspace_id text COLLATE pg_catalog."C",
    order_id text COLLATE pg_catalog."C",
    task_id text COLLATE pg_catalog."C",
    agent_id text COLLATE pg_catalog."C",
    session_ids text[] COLLATE pg_catalog."C",
    owner_id text COLLATE pg_catalog."C",
    backend_id text COLLATE pg_catalog."C",
    principal_id text COLLATE pg_catalog."C",
    principal_kind text COLLATE pg_catalog."C",
    reason text,
    status_before text COLLATE pg_catalog."C",
    outcome text COLLATE pg_catalog."C",
    policy_version text,
    CONSTRAINT records_seq_check CHECK ((seq >= 0))
)
PARTITION BY RANGE (stored_at);

CREATE TABLE killswitch_audit.records_default (
    "position" bigint NOT NULL,
    chain text NOT NULL COLLATE pg_catalog."C",
    seq bigint NOT NULL,
    prev text NOT NULL COLLATE pg_catalog."C",
    hash text NOT NULL COLLATE pg_catalog."C",
    stored_at timestamp with time zone NOT NULL,
    event json NOT NULL,
    event_id text NOT NULL COLLATE pg_catalog."C",
    type text NOT NULL COLLATE pg_catalog."C",
    event_time timestamp with time zone NOT NULL,
    host_id text NOT NULL COLLATE pg_catalog."C",
    workspace_id text COLLATE pg_catalog."C",
    order_id text COLLATE pg_catalog."C",
    task_id text COLLATE pg_catalog."C",
    agent_id text COLLATE pg_catalog."C",
    session_ids text[] COLLATE pg_catalog."C",
    owner_id text COLLATE pg_catalog."C",
    backend_id text COLLATE pg_catalog."C",
    principal_id text COLLATE pg_catalog."C",
    principal_kind text COLLATE pg_catalog."C",
    reason text,
    status_before text COLLATE pg_catalog."C",
    outcome text COLLATE pg_catalog."C",
    policy_version text,
    CONSTRAINT records_seq_check CHECK ((seq >= 0))
);

ALTER TABLE ONLY killswitch_audit.records ATTACH PARTITION killswitch_audit.records_default DEFAULT;

ALTER TABLE ONLY killswitch_audit.breaks
    ADD CONSTRAINT breaks_pkey PRIMARY KEY (chain, seq);

ALTER TABLE ONLY killswitch_audit.event_ids
    ADD CONSTRAINT event_ids_pkey PRIMARY KEY (event_id);

ALTER TABLE ONLY killswitch_audit.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (version);

ALTER TABLE ONLY killswitch_audit.records
    ADD CONSTRAINT records_pkey PRIMARY KEY ("position", stored_at);

ALTER TABLE ONLY killswitch_audit.records_default
    ADD CONSTRAINT records_default_pkey PRIMARY KEY ("position", stored_at);

CREATE INDEX records_by_order ON ONLY killswitch_audit.records USING btree (order_id, "position") WHERE (order_id IS NOT NULL);

CREATE INDEX records_by_principal ON ONLY killswitch_audit.records USING btree (principal_id, "position") WHERE (principal_id IS NOT NULL);

CREATE INDEX records_by_task ON ONLY killswitch_audit.records USING btree (task_id, "position") WHERE (task_id IS NOT NULL);

CREATE INDEX records_by_workspace_and_time ON ONLY killswitch_audit.records USING btree (workspace_id, event_time);

CREATE UNIQUE INDEX records_default_chain_seq_idx ON killswitch_audit.records_default USING btree (chain, seq);

CREATE INDEX records_default_order_id_position_idx ON killswitch_audit.records_default USING btree (order_id, "position") WHERE (order_id IS NOT NULL);

CREATE INDEX records_of_requests ON ONLY killswitch_audit.records USING btree ("position") WHERE (type = ANY (ARRAY['order.requested'::text, 'order.joined'::text, 'order.settled'::text, 'release.requested'::text, 'gate.released'::text]));

CREATE INDEX records_default_position_idx ON killswitch_audit.records_default USING btree ("position") WHERE (type = ANY (ARRAY['order.requested'::text, 'order.joined'::text, 'order.settled'::text, 'release.requested'::text, 'gate.released'::text]));

CREATE INDEX records_default_principal_id_position_idx ON killswitch_audit.records_default USING btree (principal_id, "position") WHERE (principal_id IS NOT NULL);

CREATE INDEX records_default_task_id_position_idx ON killswitch_audit.records_default USING btree (task_id, "position") WHERE (task_id IS NOT NULL);

CREATE INDEX records_default_workspace_id_event_time_idx ON killswitch_audit.records_default USING btree (workspace_id, event_time);

ALTER INDEX killswitch_audit.records_by_order ATTACH PARTITION killswitch_audit.records_default_order_id_position_idx;

ALTER INDEX killswitch_audit.records_pkey ATTACH PARTITION killswitch_audit.records_default_pkey;

ALTER INDEX killswitch_audit.records_of_requests ATTACH PARTITION killswitch_audit.records_default_position_idx;

ALTER INDEX killswitch_audit.records_by_principal ATTACH PARTITION killswitch_audit.records_default_principal_id_position_idx;

ALTER INDEX killswitch_audit.records_by_task ATTACH PARTITION killswitch_audit.records_default_task_id_position_idx;

ALTER INDEX killswitch_audit.records_by_workspace_and_time ATTACH PARTITION killswitch_audit.records_default_workspace_id_event_time_idx;

CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE ON killswitch_audit.breaks FOR EACH ROW EXECUTE FUNCTION killswitch_audit.refuse_change();

ALTER TABLE killswitch_audit.breaks ENABLE ALWAYS TRIGGER refuse_change;

CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE ON killswitch_audit.event_ids FOR EACH ROW EXECUTE FUNCTION killswitch_audit.refuse_change();

ALTER TABLE killswitch_audit.event_ids ENABLE ALWAYS TRIGGER refuse_change;

CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE ON killswitch_audit.records FOR EACH ROW EXECUTE FUNCTION killswitch_audit.refuse_change();

ALTER TABLE killswitch_audit.records ENABLE ALWAYS TRIGGER refuse_change;

CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON killswitch_audit.breaks FOR EACH STATEMENT EXECUTE FUNCTION killswitch_audit.refuse_change();

ALTER TABLE killswitch_audit.breaks ENABLE ALWAYS TRIGGER refuse_truncate;

CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON killswitch_audit.event_ids FOR EACH STATEMENT EXECUTE FUNCTION killswitch_audit.refuse_change();

ALTER TABLE killswitch_audit.event_ids ENABLE ALWAYS TRIGGER refuse_truncate;

CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON killswitch_audit.records FOR EACH STATEMENT EXECUTE FUNCTION killswitch_audit.refuse_change();

ALTER TABLE killswitch_audit.records ENABLE ALWAYS TRIGGER refuse_truncate;

CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON killswitch_audit.records_default FOR EACH STATEMENT EXECUTE FUNCTION killswitch_audit.refuse_change();

ALTER TABLE killswitch_audit.records_default ENABLE ALWAYS TRIGGER refuse_truncate;

-- @definitions: from here to @run there are no psql commands, for programs that run the steps themselves
-- ---------------------------------------------------------------------------------------------------------------
-- The type of a step, and functions to run one

DO $$
BEGIN
  IF to_regtype('pg_temp.step') IS NOT NULL THEN
    DROP TYPE pg_temp.step CASCADE;  -- left by an earlier run in this session
  END IF;
END $$;
CREATE TYPE pg_temp.step AS (
  id          text,     -- stable: scripts and the ledger name a step by it
  title       text,
  lock        text,     -- its strongest lock on a table of the application; null: none
  tables      text[],   -- the locked tables
  alone       boolean,  -- cannot share a transaction with another statement
  present     boolean,  -- done: the catalogue has exactly the objects that it creates
  precheck    text,     -- a query that raises data_blocks when rows block the step
  statements  text,
  fingerprint text,     -- identifies its objects, where the catalogue cannot be compared with the statements
  note        text);

-- Raises the error "rows block this step". The other steps continue.
CREATE OR REPLACE FUNCTION pg_temp.data_blocks(message text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'SS009', MESSAGE = message;
END $$;

-- Lists other sessions with locks on these tables, for the message of a blocked step.
CREATE OR REPLACE FUNCTION pg_temp.lock_holders(tables text[]) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(DISTINCT format('pid %s (%s, %s, transaction of %s)', a.pid, a.state,
                                    coalesce(nullif(a.application_name, ''), 'unnamed'),
                                    date_trunc('second', clock_timestamp() - a.xact_start)), '; ')
  FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
  WHERE l.relation = ANY (SELECT to_regclass(t) FROM unnest(tables) AS t) AND l.pid <> pg_backend_pid();
$$;

-- Lists autovacuums against wraparound on these tables; NULL: none. They do not yield to lock requests, and may run for
-- hours. Only members of pg_read_all_stats see them.
CREATE OR REPLACE FUNCTION pg_temp.wraparound_vacuum(tables text[]) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(DISTINCT format('pid %s, %s, which does not yield to lock requests: let it end (pg_stat_progress_vacuum shows its progress)',
                                    a.pid, a.query), '; ')
  FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
  WHERE l.relation = ANY (SELECT to_regclass(t) FROM unnest(tables) AS t) AND l.granted
    AND a.query LIKE 'autovacuum: %(to prevent wraparound)';
$$;

-- The time in which an autovacuum yields: it does so when the deadlock check runs.
CREATE OR REPLACE FUNCTION pg_temp.eviction_ms() RETURNS integer LANGUAGE sql AS $$
  SELECT setting::integer + 500 FROM pg_settings WHERE name = 'deadlock_timeout';
$$;

-- Runs the statements with short lock waits. SHARE UPDATE EXCLUSIVE first: it evicts autovacuum (within
-- deadlock_timeout, one second) and blocks no writer. Then at most 100 ms for the strong lock, behind which other sessions
-- queue.
CREATE OR REPLACE FUNCTION pg_temp.run_with_short_locks(tables text[], statements text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  t text;
BEGIN
  PERFORM set_config('lock_timeout', format('%sms', pg_temp.eviction_ms()), true);
  FOREACH t IN ARRAY tables LOOP
    IF has_table_privilege(to_regclass(t), 'UPDATE') THEN
      EXECUTE format('LOCK TABLE ONLY %s IN SHARE UPDATE EXCLUSIVE MODE', t::regclass);
    END IF;
  END LOOP;
  PERFORM set_config('lock_timeout', '100ms', true);
  EXECUTE statements;
END $$;

-- Like to_regclass() for `schema.name`, but without an error when the caller may not use the schema: every role may read
-- the catalogue.
CREATE OR REPLACE FUNCTION pg_temp.relation(qualified_name text) RETURNS regclass LANGUAGE sql STABLE AS $$
  SELECT oid::regclass FROM pg_class
  WHERE relnamespace = to_regnamespace(split_part(qualified_name, '.', 1))
    AND relname = split_part(qualified_name, '.', 2);
$$;

-- Like to_regprocedure() for `schema.name(types)`, with types as format_type() returns them.
CREATE OR REPLACE FUNCTION pg_temp.routine(signature text) RETURNS oid LANGUAGE sql STABLE AS $$
  SELECT oid FROM pg_proc
  WHERE pronamespace = to_regnamespace(split_part(signature, '.', 1))
    AND proname = split_part(split_part(signature, '(', 1), '.', 2)
    AND format('%s(%s)', split_part(signature, '(', 1), oidvectortypes(proargtypes)) = signature;
$$;

CREATE OR REPLACE FUNCTION pg_temp.may_read(tbl text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT has_schema_privilege(relnamespace, 'USAGE') AND has_table_privilege(oid, 'SELECT')
  FROM pg_class WHERE oid = pg_temp.relation(tbl);
$$;

-- Compares both halves of a fingerprint: the statements, and the resulting catalogue entries. Returns true for a role that
-- may not read fingerprints; access_warnings() reports it.
CREATE OR REPLACE FUNCTION pg_temp.has_fingerprint(step_id text, statements text, result text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
  IF pg_temp.may_read('socialsync.fingerprints') IS NOT TRUE THEN
    RETURN pg_temp.relation('socialsync.fingerprints') IS NOT NULL;
  END IF;
  RETURN EXISTS (SELECT FROM socialsync.fingerprints AS f
                 WHERE f.step = step_id AND f.source = md5(statements) AND f.result = md5(has_fingerprint.result));
END $$;

-- True for the comments of our objects. The update replaces, and the rollback drops, only objects with such a comment.
CREATE OR REPLACE FUNCTION pg_temp.is_ours(comment text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(starts_with(comment, 'SocialSync Webhooks: '), false);
$$;

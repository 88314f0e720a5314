-- @definitions: from here to @run there is nothing of psql, for programs that work through the steps themselves
-- ---------------------------------------------------------------------------------------------------------------
-- What a step is, and how it is done

DO $$
BEGIN
  IF to_regtype('pg_temp.step') IS NOT NULL THEN
    DROP TYPE pg_temp.step CASCADE;  -- of an earlier run in this session
  END IF;
END $$;
CREATE TYPE pg_temp.step AS (
  id          text,     -- stable: scripts and the ledger name a step by it
  title       text,
  lock        text,     -- the strongest lock it takes on a table that others use; null: none
  tables      text[],   -- those tables
  alone       boolean,  -- cannot be in a transaction with anything else
  present     boolean,  -- it is done: the catalogue has exactly what it makes
  precheck    text,     -- a query that raises data_blocks when rows stand in the way
  statements  text,
  fingerprint text,     -- of what it makes, where the catalogue cannot be compared with the statements
  note        text);

-- The error of rows that stand in the way of a step; the others can be done nevertheless.
CREATE OR REPLACE FUNCTION pg_temp.data_blocks(message text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'SS009', MESSAGE = message;
END $$;

-- Who else holds locks on these tables: for the message of a step that could not get its own.
CREATE OR REPLACE FUNCTION pg_temp.lock_holders(tables text[]) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(DISTINCT format('pid %s (%s, %s, transaction of %s)', a.pid, a.state,
                                    coalesce(nullif(a.application_name, ''), 'unnamed'),
                                    date_trunc('second', clock_timestamp() - a.xact_start)), '; ')
  FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
  WHERE l.relation = ANY (SELECT to_regclass(t) FROM unnest(tables) AS t) AND l.pid <> pg_backend_pid();
$$;

-- An autovacuum against wraparound on these tables, which gives way to nobody: waiting for it may take hours. NULL: none.
-- Only members of pg_read_all_stats see it.
CREATE OR REPLACE FUNCTION pg_temp.wraparound_vacuum(tables text[]) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(DISTINCT format('pid %s, %s, which gives way to nobody: let it end (pg_stat_progress_vacuum shows how far it is)',
                                    a.pid, a.query), '; ')
  FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
  WHERE l.relation = ANY (SELECT to_regclass(t) FROM unnest(tables) AS t) AND l.granted
    AND a.query LIKE 'autovacuum: %(to prevent wraparound)';
$$;

-- How long to wait for autovacuum to give way: it does when deadlocks are looked for.
CREATE OR REPLACE FUNCTION pg_temp.eviction_ms() RETURNS integer LANGUAGE sql AS $$
  SELECT setting::integer + 500 FROM pg_settings WHERE name = 'deadlock_timeout';
$$;

-- Takes the locks that `statements` need without making anybody wait long: SHARE UPDATE EXCLUSIVE first, which
-- only evicts autovacuum (that takes deadlock_timeout, one second) and stops no writer; then 100 ms at most for
-- the strong lock, in whose queue others wait.
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

-- `schema.name`, as to_regclass() gives it. That one, and to_regprocedure(), fail where the caller may not use the schema;
-- the catalogue can be read by everybody.
CREATE OR REPLACE FUNCTION pg_temp.relation(qualified_name text) RETURNS regclass LANGUAGE sql STABLE AS $$
  SELECT oid::regclass FROM pg_class
  WHERE relnamespace = to_regnamespace(split_part(qualified_name, '.', 1))
    AND relname = split_part(qualified_name, '.', 2);
$$;

-- `schema.name(types)`, the types as format_type() gives them.
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

-- Both halves of a fingerprint: of the statements, and of what the catalogue has made of them. To whom may not read them
-- what is there is what was made; access_warnings() says so.
CREATE OR REPLACE FUNCTION pg_temp.has_fingerprint(step_id text, statements text, result text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
  IF pg_temp.may_read('socialsync.fingerprints') IS NOT TRUE THEN
    RETURN pg_temp.relation('socialsync.fingerprints') IS NOT NULL;
  END IF;
  RETURN EXISTS (SELECT FROM socialsync.fingerprints AS f
                 WHERE f.step = step_id AND f.source = md5(statements) AND f.result = md5(has_fingerprint.result));
END $$;

-- What we made says so in its comment: only that is replaced here, and dropped by the rollback.
CREATE OR REPLACE FUNCTION pg_temp.is_ours(comment text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(starts_with(comment, 'SocialSync Webhooks: '), false);
$$;

-- ---------------------------------------------------------------------------------------------------------------
-- How a step is done

-- Who else holds locks on these tables: for the message of a step that could not get its own.
CREATE OR REPLACE FUNCTION pg_temp.lock_holders(tables text[]) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(DISTINCT format('pid %s (%s, %s, transaction of %s)', a.pid, a.state,
                                    coalesce(nullif(a.application_name, ''), 'unnamed'),
                                    date_trunc('second', clock_timestamp() - a.xact_start)), '; ')
  FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
  WHERE l.relation = ANY (SELECT to_regclass(t) FROM unnest(tables) AS t) AND l.pid <> pg_backend_pid();
$$;

-- Takes the locks that `statements` need without making anybody wait long: SHARE UPDATE EXCLUSIVE first, which
-- only evicts autovacuum (that takes deadlock_timeout, one second) and stops no writer; then 100 ms at most for
-- the strong lock, in whose queue others wait.
CREATE OR REPLACE FUNCTION pg_temp.run_with_short_locks(tables text[], statements text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  t text;
BEGIN
  PERFORM set_config('lock_timeout', '1500ms', true);
  FOREACH t IN ARRAY tables LOOP
    IF has_table_privilege(t, 'UPDATE') THEN
      EXECUTE format('LOCK TABLE ONLY %s IN SHARE UPDATE EXCLUSIVE MODE', t::regclass);
    END IF;
  END LOOP;
  PERFORM set_config('lock_timeout', '100ms', true);
  EXECUTE statements;
END $$;

-- One step, one transaction: nothing when `present`, else `statements`, tried again while a lock on one of
-- `tables` cannot be had. Gives the line of the report. One call in a statement: a second would work, and wait, under
-- the locks of the first.
CREATE OR REPLACE FUNCTION pg_temp.step(what text, tables text[], present boolean, statements text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
  IF present THEN
    RETURN '  there  ' || what;
  END IF;
  FOR attempt IN 1..100 LOOP
    BEGIN
      PERFORM pg_temp.run_with_short_locks(tables, statements);
      RETURN '  made   ' || what;
    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
      PERFORM pg_sleep(0.1 + random() * 0.4);
    END;
  END LOOP;
  RAISE lock_not_available USING
    MESSAGE = format('%s: no lock within 100 attempts; run this again later, all before it is done', what),
    DETAIL = 'Held by ' || coalesce(pg_temp.lock_holders(tables), 'nobody now');
END $$;

-- What we made says so in its comment: only that is replaced here, and dropped by the rollback.
CREATE OR REPLACE FUNCTION pg_temp.is_ours(comment text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(starts_with(comment, 'SocialSync Webhooks: '), false);
$$;

\echo SocialSync Webhooks: updating :DBNAME

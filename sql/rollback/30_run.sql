-- ---------------------------------------------------------------------------------------------------------------
-- Schemas, roles, locks, and the rollback in one transaction

CREATE OR REPLACE FUNCTION pg_temp.drop_schemas() RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  IF pg_temp.is_ours(obj_description(to_regnamespace('socialsync'), 'pg_namespace')) THEN
    RETURN QUERY SELECT pg_temp.run('DROP TABLE socialsync.' || t)
                 FROM unnest(ARRAY['preimages', 'fingerprints', 'migration_steps']) AS t
                 WHERE to_regclass('socialsync.' || t) IS NOT NULL;
    RETURN NEXT pg_temp.run('DROP SCHEMA socialsync');
  END IF;
  IF pg_temp.is_ours(obj_description(to_regprocedure('auth.uid()'), 'pg_proc')) THEN
    RETURN NEXT pg_temp.run('DROP FUNCTION auth.uid()');
  END IF;
  IF pg_temp.is_ours(obj_description(to_regnamespace('auth'), 'pg_namespace')) THEN
    RETURN NEXT pg_temp.run('DROP SCHEMA auth');
  END IF;
END $$;

-- Roles belong to the whole server: a role that is in use, or has members, stays.
CREATE OR REPLACE FUNCTION pg_temp.drop_roles() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  role text;
BEGIN
  FOR role IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role')
              AND pg_temp.is_ours(shobj_description(oid, 'pg_authid')) ORDER BY rolname LOOP
    IF EXISTS (SELECT FROM pg_auth_members WHERE roleid = role::regrole AND member <> quote_ident(current_user)::regrole) THEN
      RETURN NEXT format('  stays  role %s: it has members', role);
      CONTINUE;
    END IF;
    BEGIN
      RETURN NEXT pg_temp.run(format('DROP ROLE %I', role));
    EXCEPTION WHEN dependent_objects_still_exist OR object_in_use OR insufficient_privilege THEN
      RETURN NEXT format('  stays  role %s: %s', role, SQLERRM);
    END;
  END LOOP;
END $$;

-- The tables that the rollback locks; the application's last, so that their lock waits for no other.
CREATE OR REPLACE FUNCTION pg_temp.locked_tables() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT t FROM unnest(ARRAY['socialsync.preimages', 'socialsync.fingerprints', 'socialsync.migration_steps',
                             'socialsync.backfill_preimages', 'socialsync.webhook_event_keys', 'public.webhook_quarantine', 'public.webhook_delivery_attempts',
                             'public.webhook_deliveries', 'public.webhook_endpoints', 'public.webhook_logs',
                             'public.social_accounts', 'public.users']) WITH ORDINALITY AS tables (t, place)
  WHERE to_regclass(t) IS NOT NULL AND has_table_privilege(to_regclass(t), 'UPDATE') ORDER BY place;
$$;

-- Locks the views by an ALTER without effect: LOCK TABLE on a view also locks the tables that it reads.
CREATE OR REPLACE FUNCTION pg_temp.lock_views() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  view text;
BEGIN
  FOR view IN SELECT pg_temp.our_views() LOOP
    EXECUTE format('ALTER VIEW %s RESET (check_option)', view);
  END LOOP;
END $$;

-- The time in which an autovacuum yields: it does so when the deadlock check runs.
CREATE OR REPLACE FUNCTION pg_temp.eviction_ms() RETURNS integer LANGUAGE sql AS $$
  SELECT setting::integer + 500 FROM pg_settings WHERE name = 'deadlock_timeout';
$$;

-- Takes locks that block all queries of these tables: waits at most 100 ms for all of them, then releases them before the
-- next attempt. SHARE UPDATE EXCLUSIVE comes first on all tables: it waits for autovacuum and blocks no query. Locks views
-- before tables, in the order of queries that read a view; the reverse order would deadlock.
CREATE OR REPLACE FUNCTION pg_temp.lock_tables() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  tbl text;
  deadline timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', format('%sms', pg_temp.eviction_ms()), true);
  FOR tbl IN SELECT pg_temp.locked_tables() LOOP
    EXECUTE format('LOCK TABLE %s IN SHARE UPDATE EXCLUSIVE MODE', tbl);
  END LOOP;
  deadline := clock_timestamp() + interval '100 ms';
  PERFORM set_config('lock_timeout', '100ms', true);
  PERFORM pg_temp.lock_views();
  FOR tbl IN SELECT pg_temp.locked_tables() LOOP
    PERFORM set_config('lock_timeout',
      format('%sms', greatest(1, extract(milliseconds FROM deadline - clock_timestamp())::integer)), true);
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', tbl);
  END LOOP;
END $$;

-- Lists autovacuums against wraparound; NULL: none. They do not yield to lock requests, and may run for hours.
CREATE OR REPLACE FUNCTION pg_temp.wraparound_vacuum() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(DISTINCT format('pid %s, %s, which does not yield to lock requests: let it end (pg_stat_progress_vacuum shows its progress)',
                                    a.pid, a.query), '; ')
  FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
  WHERE l.relation = ANY (SELECT to_regclass(t) FROM pg_temp.locked_tables() AS t) AND l.granted
    AND a.query LIKE 'autovacuum: %(to prevent wraparound)';
$$;

CREATE OR REPLACE FUNCTION pg_temp.lock_tables_patiently() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  vacuum text;
BEGIN
  FOR attempt IN 1..100 LOOP
    BEGIN
      PERFORM pg_temp.lock_tables();
      RETURN;
    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
      vacuum := pg_temp.wraparound_vacuum();
      IF vacuum IS NOT NULL THEN
        RAISE lock_not_available USING
          MESSAGE = format('a lock is held by %s, then run this again; nothing was changed', vacuum);
      END IF;
      PERFORM pg_sleep(0.1 + random() * 0.4);
    END;
  END LOOP;
  RAISE lock_not_available USING MESSAGE = 'no lock within 100 attempts; nothing was changed, run this again later';
END $$;

-- Drops dependent objects first.
CREATE OR REPLACE FUNCTION pg_temp.roll_back(rebuild_enum boolean DEFAULT false) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_temp.lock_tables_patiently();
  PERFORM set_config('lock_timeout', '3s', true);
  RETURN QUERY SELECT pg_temp.drop_views();
  RETURN QUERY SELECT pg_temp.drop_functions('public');
  RETURN QUERY SELECT pg_temp.drop_trigger();
  RETURN QUERY SELECT pg_temp.drop_constraints();
  RETURN QUERY SELECT pg_temp.drop_indexes();
  RETURN QUERY SELECT pg_temp.put_back_values();
  RETURN QUERY SELECT pg_temp.drop_tables();
  RETURN QUERY SELECT pg_temp.drop_detached_partitions();
  RETURN QUERY SELECT pg_temp.drop_policies();
  RETURN QUERY SELECT pg_temp.restore_row_security();
  RETURN QUERY SELECT pg_temp.drop_columns();
  IF rebuild_enum THEN
    RETURN QUERY SELECT pg_temp.rebuild_enum();
  END IF;
  RETURN QUERY SELECT pg_temp.restore_found();
  RETURN QUERY SELECT pg_temp.drop_functions('socialsync');
  RETURN QUERY SELECT pg_temp.drop_schemas();
  RETURN QUERY SELECT pg_temp.drop_roles();
END $$;

-- Drops the functions and triggers that route and log webhooks; no gateway starts afterwards. Keeps columns, tables, data,
-- policies and privileges: the new columns hold secrets, which the old privileges would expose. The update restores the rest.
CREATE OR REPLACE FUNCTION pg_temp.roll_back_softly() RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_temp.lock_tables_patiently();
  PERFORM set_config('lock_timeout', '3s', true);
  RETURN QUERY SELECT pg_temp.drop_views();
  RETURN QUERY SELECT pg_temp.drop_functions('public');
  RETURN QUERY SELECT pg_temp.drop_trigger();
END $$;

-- @run
SELECT pg_temp.refuse_encrypted_values() \g /dev/null
-- Reads the residue from the table of preimages before it is dropped.
SELECT coalesce(string_agg('  stays  ' || r, E'\n'), '') AS residue FROM pg_temp.residue() AS r \gset
SELECT pg_temp.roll_back();
SELECT :'residue' WHERE :'residue' <> '';
SELECT pg_advisory_unlock_all() \g /dev/null
\echo 'SocialSync Webhooks: database' :DBNAME 'is rolled back'

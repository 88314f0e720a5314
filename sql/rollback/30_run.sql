-- ---------------------------------------------------------------------------------------------------------------
-- Schemas and roles, then all of it in one transaction

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

-- Roles are shared by all databases of the server: one that anything still uses, or anybody belongs to, stays.
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

-- What the rollback locks; the application's own tables last, so that they wait for no other.
CREATE OR REPLACE FUNCTION pg_temp.locked_tables() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT t FROM unnest(ARRAY['socialsync.preimages', 'socialsync.fingerprints', 'socialsync.migration_steps',
                             'socialsync.backfill_preimages', 'socialsync.webhook_event_keys', 'public.webhook_quarantine', 'public.webhook_delivery_attempts',
                             'public.webhook_deliveries', 'public.webhook_endpoints', 'public.webhook_logs',
                             'public.social_accounts', 'public.users']) WITH ORDINALITY AS tables (t, place)
  WHERE to_regclass(t) IS NOT NULL AND has_table_privilege(to_regclass(t), 'UPDATE') ORDER BY place;
$$;

-- By a change of nothing: LOCK TABLE on a view would lock the tables it reads as well.
CREATE OR REPLACE FUNCTION pg_temp.lock_views() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  view text;
BEGIN
  FOR view IN SELECT pg_temp.our_views() LOOP
    EXECUTE format('ALTER VIEW %s RESET (check_option)', view);
  END LOOP;
END $$;

-- How long to wait for autovacuum to give way: it does when deadlocks are looked for.
CREATE OR REPLACE FUNCTION pg_temp.eviction_ms() RETURNS integer LANGUAGE sql AS $$
  SELECT setting::integer + 500 FROM pg_settings WHERE name = 'deadlock_timeout';
$$;

-- The locks this needs stop all queries of these tables: waits 100 ms for all of them, then lets everybody go on
-- before the next attempt. SHARE UPDATE EXCLUSIVE first, on all of them: that waits for autovacuum, and stops nobody.
-- Views before tables, which is the order of those who read a view: the other way round is a deadlock.
CREATE OR REPLACE FUNCTION pg_temp.lock_tables() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  tbl text;
  give_up_at timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', format('%sms', pg_temp.eviction_ms()), true);
  FOR tbl IN SELECT pg_temp.locked_tables() LOOP
    EXECUTE format('LOCK TABLE %s IN SHARE UPDATE EXCLUSIVE MODE', tbl);
  END LOOP;
  give_up_at := clock_timestamp() + interval '100 ms';
  PERFORM set_config('lock_timeout', '100ms', true);
  PERFORM pg_temp.lock_views();
  FOR tbl IN SELECT pg_temp.locked_tables() LOOP
    PERFORM set_config('lock_timeout',
      format('%sms', greatest(1, extract(milliseconds FROM give_up_at - clock_timestamp())::integer)), true);
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', tbl);
  END LOOP;
END $$;

-- An autovacuum against wraparound, which gives way to nobody: waiting for it may take hours. NULL: none.
CREATE OR REPLACE FUNCTION pg_temp.wraparound_vacuum() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(DISTINCT format('pid %s, %s, which gives way to nobody: let it end (pg_stat_progress_vacuum shows how far it is)',
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

-- Dependants first.
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

-- What routes and logs webhooks goes, and no gateway starts. Columns, tables, all data and the walls around them stay: the
-- new columns hold secrets by now, which the old privileges would open. The update brings the rest back.
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
-- What stays is told from the record, which goes.
SELECT coalesce(string_agg('  stays  ' || r, E'\n'), '') AS residue FROM pg_temp.residue() AS r \gset
SELECT pg_temp.roll_back();
SELECT :'residue' WHERE :'residue' <> '';
SELECT pg_advisory_unlock_all() \g /dev/null
\echo 'SocialSync Webhooks: database' :DBNAME 'is rolled back'

-- ---------------------------------------------------------------------------------------------------------------
-- Schemas and roles, then all of it in one transaction

CREATE OR REPLACE FUNCTION pg_temp.drop_schemas() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF pg_temp.is_ours(obj_description(to_regnamespace('socialsync'), 'pg_namespace')) THEN
    DROP TABLE IF EXISTS socialsync.preimages;
    PERFORM pg_temp.run('DROP SCHEMA socialsync');
  END IF;
  IF pg_temp.is_ours(obj_description(to_regprocedure('auth.uid()'), 'pg_proc')) THEN
    PERFORM pg_temp.run('DROP FUNCTION auth.uid()');
  END IF;
  IF pg_temp.is_ours(obj_description(to_regnamespace('auth'), 'pg_namespace')) THEN
    PERFORM pg_temp.run('DROP SCHEMA auth');
  END IF;
END $$;

-- Roles are shared by all databases of the server: one that anything still uses stays.
CREATE OR REPLACE FUNCTION pg_temp.drop_roles() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  role text;
BEGIN
  FOR role IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role')
              AND pg_temp.is_ours(shobj_description(oid, 'pg_authid')) ORDER BY rolname LOOP
    BEGIN
      PERFORM pg_temp.run(format('DROP ROLE %I', role));
    EXCEPTION WHEN dependent_objects_still_exist OR object_in_use OR insufficient_privilege THEN
      RAISE NOTICE 'role % stays: %', role, SQLERRM;
    END;
  END LOOP;
END $$;

-- Dependants first.
CREATE OR REPLACE FUNCTION pg_temp.roll_back() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_temp.drop_views();
  PERFORM pg_temp.drop_functions('public');
  PERFORM pg_temp.drop_trigger();
  PERFORM pg_temp.drop_tables();
  PERFORM pg_temp.drop_detached_partitions();
  PERFORM pg_temp.drop_policies();
  PERFORM pg_temp.restore_row_security();
  PERFORM pg_temp.drop_constraints();
  PERFORM pg_temp.drop_indexes();
  PERFORM pg_temp.drop_columns();
  PERFORM pg_temp.restore_found();
  PERFORM pg_temp.drop_functions('socialsync');
  PERFORM pg_temp.drop_schemas();
  PERFORM pg_temp.drop_roles();
END $$;

-- The locks it needs stop all queries of users and social_accounts: 100 ms at a time, then everybody goes on.
CREATE OR REPLACE FUNCTION pg_temp.lock_tables() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  tbl text;
BEGIN
  FOREACH tbl IN ARRAY ARRAY['public.users', 'public.social_accounts', 'public.webhook_logs'] LOOP
    CONTINUE WHEN to_regclass(tbl) IS NULL OR NOT has_table_privilege(tbl, 'UPDATE');
    PERFORM set_config('lock_timeout', '1500ms', true);
    EXECUTE format('LOCK TABLE %s IN SHARE UPDATE EXCLUSIVE MODE', tbl);
    PERFORM set_config('lock_timeout', '100ms', true);
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', tbl);
  END LOOP;
END $$;

DO $$
BEGIN
  FOR attempt IN 1..100 LOOP
    BEGIN
      PERFORM pg_temp.lock_tables();
      PERFORM pg_temp.roll_back();
      RETURN;
    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
      PERFORM pg_sleep(0.1 + random() * 0.4);
    END;
  END LOOP;
  RAISE lock_not_available USING MESSAGE = 'no lock within 100 attempts; nothing was changed, run this again later';
END $$;

SELECT format('  stays  label %s of type social_platform', enumlabel)
FROM pg_enum WHERE enumtypid = to_regtype('public.social_platform') AND enumlabel = 'whatsapp_business';
SELECT pg_advisory_unlock_all() \g /dev/null
\echo 'SocialSync Webhooks: database' :DBNAME 'is rolled back'

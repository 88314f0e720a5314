-- SocialSync Webhooks: undoes schema_updates_webhooks.sql.
--
--     psql -d DATABASE -f schema_rollback_webhooks.sql
--
-- ATTENTION: drops the added columns with their data, webhook_logs and webhook_quarantine: run pg_dump first.
-- One transaction: all or nothing. Safe to repeat, and on a partly updated database. Never uses CASCADE: it stops and names
-- an object of yours that depends on one of ours. It keeps:
--   - the labels added to the type social_platform, because PostgreSQL cannot drop a label;
--   - the base tables (users, social_accounts) that the update created in an empty database: they belong to SocialSync;
--   - roles that the update created and that other objects use now.

\set QUIET on
\set ON_ERROR_STOP on
\set AUTOCOMMIT on
\set SHOW_CONTEXT never
\pset tuples_only on
\pset format unaligned
\pset pager off

-- A killed run keeps its lock for a moment.
DO $$
BEGIN
  FOR attempt IN 1..15 LOOP
    EXIT WHEN pg_try_advisory_lock(hashtextextended('socialsync webhooks migration', 0));
    PERFORM pg_sleep(0.1);
    COMMIT;
  END LOOP;
END $$;
SELECT pg_try_advisory_lock(hashtextextended('socialsync webhooks migration', 0)) AS only_runner \gset
\if :only_runner
\else
  DO $$ BEGIN RAISE EXCEPTION 'another run is changing this database: run this again when it has ended'; END $$;
\endif

SET client_encoding = 'UTF8';
SET client_min_messages = notice;
SET search_path = pg_catalog, pg_temp;
SET statement_timeout = 0;
SET row_security = off;
SET quote_all_identifiers = off;
SET standard_conforming_strings = on;
SET idle_in_transaction_session_timeout = 0;
-- Must see changes that were committed before it had its locks.
SET default_transaction_isolation = 'read committed';
SELECT set_config(name, '0', false) FROM pg_settings
WHERE name IN ('transaction_timeout', 'idle_session_timeout') \g /dev/null
SET client_connection_check_interval = '2s';

\echo SocialSync Webhooks: rolling back :DBNAME
-- @definitions
-- ---------------------------------------------------------------------------------------------------------------
-- Our objects, recognized by their comments; no other object is touched

CREATE OR REPLACE FUNCTION pg_temp.is_ours(comment text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(starts_with(comment, 'SocialSync Webhooks: '), false);
$$;

-- True when an object of social_accounts (`column page_id`) existed before the update, so that it stays. Without the table of
-- preimages, the update has not touched social_accounts.
CREATE OR REPLACE FUNCTION pg_temp.was_found(thing text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF to_regclass('socialsync.preimages') IS NULL THEN
    RETURN true;
  END IF;
  RETURN EXISTS (SELECT FROM socialsync.preimages WHERE object = thing);
END $$;

-- True when restoring the object means to create it again.
CREATE OR REPLACE FUNCTION pg_temp.is_made_anew(thing text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF to_regclass('socialsync.preimages') IS NULL THEN
    RETURN false;
  END IF;
  RETURN EXISTS (SELECT FROM socialsync.preimages WHERE object = thing AND restore <> '{}');
END $$;

-- Executes the statement and returns the line of the report.
CREATE OR REPLACE FUNCTION pg_temp.run(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  RETURN '  done   ' || statement;
END $$;

CREATE OR REPLACE FUNCTION pg_temp.our_views() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT v
  FROM unnest(ARRAY['public.webhook_stats_by_user', 'public.active_webhook_accounts', 'socialsync.user_emails'])
         WITH ORDINALITY AS views (v, place)
  WHERE pg_temp.is_ours(obj_description(to_regclass(v), 'pg_class')) ORDER BY place;
$$;

CREATE OR REPLACE FUNCTION pg_temp.drop_views() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT pg_temp.run('DROP VIEW ' || v) FROM pg_temp.our_views() AS v;
$$;

CREATE OR REPLACE FUNCTION pg_temp.drop_functions(in_schema text) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT pg_temp.run(format('DROP FUNCTION %s', p.oid::regprocedure))
  FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
  WHERE n.nspname = in_schema
    AND (in_schema = 'socialsync' AND pg_temp.is_ours(obj_description(n.oid, 'pg_namespace'))
         OR pg_temp.is_ours(obj_description(p.oid, 'pg_proc')));
$$;

-- Partitions are dropped with their table.
CREATE OR REPLACE FUNCTION pg_temp.drop_tables() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT pg_temp.run(format('DROP TABLE %s', t))
  FROM unnest(ARRAY['public.webhook_delivery_attempts', 'public.webhook_deliveries', 'public.webhook_endpoints',
                    'public.webhook_logs', 'public.webhook_quarantine', 'socialsync.webhook_event_keys',
                    'socialsync.backfill_preimages']) AS t
  WHERE pg_temp.is_ours(obj_description(to_regclass(t), 'pg_class'));
$$;

-- Detached partitions.
CREATE OR REPLACE FUNCTION pg_temp.drop_detached_partitions() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT pg_temp.run(format('DROP TABLE %s', oid::regclass))
  FROM pg_class
  WHERE relnamespace = to_regnamespace('socialsync') AND relkind = 'r' AND relname ~ '^webhook_(logs|delivery_attempts)_'
    AND pg_temp.is_ours(obj_description(relnamespace, 'pg_namespace'));
$$;
-- ---------------------------------------------------------------------------------------------------------------
-- social_accounts: restores its original state

CREATE OR REPLACE FUNCTION pg_temp.drop_trigger() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT pg_temp.run(format('DROP TRIGGER %I ON public.social_accounts', tgname))
  FROM pg_trigger
  WHERE tgrelid = to_regclass('public.social_accounts')
    AND (tgname, tgfoid) IN (('socialsync_accounts_changed', to_regprocedure('socialsync.notify_accounts_changed()')),
                             ('socialsync_webhook_url_given', to_regprocedure('socialsync.keep_primary_endpoint()')),
                             ('socialsync_webhook_url_changed', to_regprocedure('socialsync.keep_primary_endpoint()')),
                             ('socialsync_account_given', to_regprocedure('socialsync.give_endpoints()')))
  ORDER BY tgname;
$$;

CREATE OR REPLACE FUNCTION pg_temp.drop_policies() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT pg_temp.run(format('DROP POLICY %I ON public.social_accounts', polname))
  FROM pg_policy
  WHERE polrelid = to_regclass('public.social_accounts') AND NOT pg_temp.was_found('policy ' || polname)
    AND polname IN ('webhooks_own_rows', 'webhooks_only_own_rows', 'webhooks_not_for_anon', 'webhooks_service',
                    'webhooks_no_own_claims',
                    'webhooks_own_writes', 'webhooks_application');
$$;

CREATE OR REPLACE FUNCTION pg_temp.restore_row_security() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT pg_temp.run('ALTER TABLE public.social_accounts DISABLE ROW LEVEL SECURITY')
  FROM pg_class
  WHERE oid = to_regclass('public.social_accounts') AND relrowsecurity AND NOT pg_temp.was_found('row security');
$$;

-- Drops the update's CHECKs. restore_found() adds one again that existed before, NOT VALID.
CREATE OR REPLACE FUNCTION pg_temp.drop_constraints() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT pg_temp.run(format('ALTER TABLE public.social_accounts DROP CONSTRAINT %I', conname))
  FROM pg_constraint
  WHERE conrelid = to_regclass('public.social_accounts')
    AND (NOT pg_temp.was_found('constraint ' || conname) OR pg_temp.is_made_anew('constraint ' || conname))
    AND conname IN ('social_accounts_whatsapp_has_phone_number_id', 'social_accounts_instagram_has_page_id',
                    'social_accounts_webhook_status_known');
$$;

CREATE OR REPLACE FUNCTION pg_temp.drop_indexes() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT pg_temp.run(format('DROP INDEX public.%I', i))
  FROM unnest(ARRAY['idx_social_accounts_phone_number_id', 'idx_social_accounts_page_id']) AS i
  WHERE NOT pg_temp.was_found('index ' || i)
    AND EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('public.' || i)
                AND indrelid = to_regclass('public.social_accounts'));
$$;

-- The columns of social_accounts that the update added.
CREATE OR REPLACE FUNCTION pg_temp.our_columns() RETURNS TABLE (name text, place smallint) LANGUAGE sql AS $$
  SELECT attname, attnum
  FROM pg_attribute
  WHERE attrelid = to_regclass('public.social_accounts') AND NOT attisdropped
    AND NOT pg_temp.was_found('column ' || attname)
    AND attname IN ('phone_number_id', 'page_id', 'app_secret', 'verify_token', 'webhook_url', 'business_name',
                    'display_phone_number', 'webhook_events', 'webhook_status', 'last_webhook_at',
                    'webhook_metadata');
$$;

CREATE OR REPLACE FUNCTION pg_temp.drop_columns() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT pg_temp.run('ALTER TABLE public.social_accounts '
                     || string_agg(format('DROP COLUMN %I', name), ', ' ORDER BY place))
  FROM pg_temp.our_columns() HAVING count(*) > 0;
$$;

-- Revokes all privileges, which restore_found() grants again in their original order. Keeps the privileges of a role that
-- has granted them to others, because revoking would revoke those too.
CREATE OR REPLACE FUNCTION pg_temp.take_grants() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  holder record;
BEGIN
  FOR holder IN
    SELECT DISTINCT CASE i.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(i.grantee)) END AS role
    FROM pg_class AS c,
         LATERAL (SELECT grantor, grantee FROM aclexplode(c.relacl) UNION
                  SELECT grantor, grantee FROM pg_attribute, aclexplode(attacl) WHERE attrelid = c.oid) AS i
    WHERE c.oid = 'public.social_accounts'::regclass AND i.grantor = c.relowner
  LOOP
    -- Roles with privileges granted after the update keep them.
    CONTINUE WHEN holder.role NOT IN ('PUBLIC', 'anon', 'authenticated', 'service_role') AND NOT EXISTS (
      SELECT FROM socialsync.preimages, unnest(restore) AS r (statement)
      WHERE statement LIKE 'GRANT %'
        AND right(replace(statement, ' WITH GRANT OPTION', ''), length(' TO ' || holder.role)) = ' TO ' || holder.role);
    BEGIN
      EXECUTE format('REVOKE ALL ON public.social_accounts FROM %s', holder.role);
    EXCEPTION WHEN dependent_objects_still_exist THEN
      RAISE NOTICE '% has granted its privileges on social_accounts to others: they stay', holder.role;
    END;
  END LOOP;
END $$;

-- Restores the recorded objects. Skips privileges of dropped roles.
CREATE OR REPLACE FUNCTION pg_temp.restore_found() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  statement text;
BEGIN
  IF to_regclass('socialsync.preimages') IS NULL OR to_regclass('public.social_accounts') IS NULL THEN
    RETURN;
  END IF;
  PERFORM pg_temp.take_grants();
  FOR statement IN SELECT s FROM socialsync.preimages, unnest(restore) WITH ORDINALITY AS r (s, place)
                   ORDER BY object, place LOOP
    BEGIN
      RETURN NEXT pg_temp.run(statement);
    EXCEPTION WHEN undefined_object OR undefined_column THEN
      RETURN NEXT format('  stays  not restored: %s (%s)', statement, SQLERRM);
    END;
  END LOOP;
END $$;
-- ---------------------------------------------------------------------------------------------------------------
-- Columns that stay: restores the values from before backfill

-- Restores the values of one column that one run replaced, where the account still has the value written by that run.
-- Reports all other accounts.
CREATE OR REPLACE FUNCTION pg_temp.put_back(of_run text, name text, type text) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
  joined   text := format('socialsync.backfill_preimages AS p WHERE p.run = %L AND p.column_name = %L AND a.id = p.id '
                          'AND p.old_value IS DISTINCT FROM a.%I::text AND p.written', of_run, name, name);
  written  text := format('sha256(convert_to(a.%I::text, ''UTF8''))', name);
  restored bigint;
  changed  text;
BEGIN
  EXECUTE format('SELECT string_agg(a.id::text, '', '' ORDER BY a.id) FROM public.social_accounts AS a, %s '
                 'IS DISTINCT FROM %s', joined, written) INTO changed;
  -- Restores the role's search_path for the application's triggers.
  EXECUTE format('UPDATE public.social_accounts AS a SET %I = p.old_value::%s FROM %s = %s AND (SELECT '
                 'set_config(''search_path'', reset_val, true) FROM pg_settings WHERE name = ''search_path'') IS NOT NULL',
                 name, type, joined, written);
  GET DIAGNOSTICS restored = ROW_COUNT;
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  IF restored > 0 THEN
    RETURN NEXT format('  done   %s value(s) of %s restored that run %s replaced', restored, name, of_run);
  END IF;
  IF changed IS NOT NULL THEN
    RETURN NEXT format('  stays  %s of these accounts, since it changed after run %s: %s', name, of_run, changed);
  END IF;
EXCEPTION WHEN integrity_constraint_violation OR data_exception OR raise_exception THEN
  RETURN NEXT format('  stays  the values of %s that run %s wrote: %s', name, of_run, SQLERRM);
END $$;

-- Newest run first: it may have replaced values of an older run.
CREATE OR REPLACE FUNCTION pg_temp.put_back_values() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  replaced record;
BEGIN
  IF to_regclass('socialsync.backfill_preimages') IS NULL THEN
    RETURN;
  END IF;
  SET CONSTRAINTS ALL IMMEDIATE;  -- pending deferred triggers prevent ALTER TABLE
  FOR replaced IN
    SELECT p.run, p.column_name, format_type(a.atttypid, a.atttypmod) AS type
    FROM socialsync.backfill_preimages AS p
    JOIN pg_attribute AS a ON a.attrelid = 'public.social_accounts'::regclass AND a.attname = p.column_name
                          AND NOT a.attisdropped
    WHERE p.column_name NOT IN (SELECT name FROM pg_temp.our_columns())
    GROUP BY 1, 2, 3 ORDER BY max(p.at) DESC, p.run DESC, p.column_name
  LOOP
    RETURN QUERY SELECT pg_temp.put_back(replaced.run, replaced.column_name, replaced.type);
  END LOOP;
END $$;

CREATE OR REPLACE FUNCTION pg_temp.is_encrypted(value text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT strpos(value, 'enc:v1:') > 0 AND value ~ '(^|,)\s*enc:v1:[0-9a-f]{8}:';
$$;

-- Counts encrypted values in one scan of all accounts, whatever the type of the columns.
CREATE OR REPLACE FUNCTION pg_temp.encrypted_in_columns_that_stay(secrets text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  counts text;
  found  text;
BEGIN
  SELECT string_agg(format('nullif(count(*) FILTER (WHERE pg_temp.is_encrypted(%1$I::text)), 0) || %2$L', attname,
                           ' of ' || attname), ', ' ORDER BY attnum)
  INTO counts FROM pg_attribute
  WHERE attrelid = to_regclass('public.social_accounts') AND NOT attisdropped AND attname = ANY (secrets)
    AND attname NOT IN (SELECT name FROM pg_temp.our_columns()) AND has_column_privilege(attrelid, attnum, 'SELECT');
  IF counts IS NOT NULL THEN
    EXECUTE format('SELECT concat_ws(%L, %s) FROM public.social_accounts', ', ', counts) INTO found;
  END IF;
  RETURN nullif(found, '');
END $$;

-- Neither the application nor an earlier version of ours could read encrypted secrets in columns that stay. Secrets of
-- endpoints are dropped with their table. Called before any lock, because it reads every account; the gateway encrypts
-- nothing while the run lock is held.
CREATE OR REPLACE FUNCTION pg_temp.refuse_encrypted_values() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  secrets text[] := ARRAY['app_secret', 'verify_token', 'access_token', 'refresh_token'];
  found   text   := pg_temp.encrypted_in_columns_that_stay(secrets);
BEGIN
  IF found IS NOT NULL THEN
    RAISE object_not_in_prerequisite_state USING MESSAGE = format(
      'encrypted values (%s) in columns that stay. Run first: socialsync secrets decrypt. Nothing was changed', found);
  END IF;
  IF to_regclass('socialsync.backfill_preimages') IS NULL
     OR NOT has_table_privilege(to_regclass('socialsync.backfill_preimages'), 'SELECT') THEN
    RETURN;
  END IF;
  SELECT run INTO found FROM socialsync.backfill_preimages
  WHERE pg_temp.is_encrypted(old_value) AND column_name = ANY (secrets)
    AND column_name NOT IN (SELECT name FROM pg_temp.our_columns()) LIMIT 1;
  IF found IS NOT NULL THEN
    RAISE object_not_in_prerequisite_state USING MESSAGE = format(
      'backfill run %1$s replaced encrypted values of a column that stays. Run first: socialsync migrate backfill --undo %1$s, '
      'then socialsync secrets decrypt. Nothing was changed', found);
  END IF;
END $$;
-- ---------------------------------------------------------------------------------------------------------------
-- The type social_platform without the labels that the update added

CREATE OR REPLACE FUNCTION pg_temp.added_labels() RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  IF to_regclass('socialsync.preimages') IS NULL THEN
    RETURN;
  END IF;
  RETURN QUERY SELECT enumlabel::text FROM pg_enum
               WHERE enumtypid = to_regtype('public.social_platform') AND NOT pg_temp.was_found('label ' || enumlabel)
                 AND enumlabel IN ('facebook', 'instagram', 'whatsapp', 'whatsapp_business')
                 AND EXISTS (SELECT FROM socialsync.preimages WHERE starts_with(object, 'label '))
               ORDER BY enumsortorder;
END $$;

-- The labels that stay when the type is not rebuilt.
CREATE OR REPLACE FUNCTION pg_temp.residue() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT format('label %s of type social_platform', l) FROM pg_temp.added_labels() AS l;
$$;

-- Executes one GRANT as its original grantor. Returns the line of the report.
CREATE OR REPLACE FUNCTION pg_temp.grant_as(grantor name, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  role_before text := current_setting('role');
BEGIN
  PERFORM set_config('role', grantor, true);
  EXECUTE statement;
  PERFORM set_config('role', role_before, true);
  RETURN '  done   ' || statement;
EXCEPTION WHEN insufficient_privilege THEN
  RETURN format('  stays  not restored: %s (as %I; %s)', statement, grantor, SQLERRM);
END $$;

-- Copies the privileges of one type to another of the same owner, in their order and from their grantors.
CREATE OR REPLACE FUNCTION pg_temp.copy_privileges(from_type regtype, to_type regtype) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
  found pg_type;
  made  pg_type;
  role  text;
BEGIN
  SELECT * INTO found FROM pg_type WHERE oid = from_type;
  SELECT * INTO made FROM pg_type WHERE oid = to_type;
  IF found.typacl IS NOT DISTINCT FROM made.typacl THEN
    RETURN;
  END IF;
  FOR role IN SELECT DISTINCT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END
              FROM aclexplode(coalesce(made.typacl, acldefault('T', made.typowner))) LOOP
    EXECUTE format('REVOKE ALL ON TYPE %s FROM %s', to_type, role);
  END LOOP;
  RETURN QUERY
    SELECT CASE WHEN i.grantor = found.typowner THEN pg_temp.run(g.statement)
                ELSE pg_temp.grant_as(pg_get_userbyid(i.grantor), g.statement) END
    FROM aclexplode(coalesce(found.typacl, acldefault('T', found.typowner)))
           WITH ORDINALITY AS i (grantor, grantee, privilege_type, is_grantable, place),
         LATERAL (SELECT format('GRANT %s ON TYPE %s TO %s%s', i.privilege_type, to_type,
                                CASE i.grantee WHEN 0 THEN 'PUBLIC' ELSE i.grantee::regrole::text END,
                                CASE WHEN i.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)) AS g (statement)
    ORDER BY i.place;
END $$;

-- Indexes and CHECKs that compare the platform with a label: they would compare the new type with a label of the old one.
CREATE OR REPLACE FUNCTION pg_temp.uses_of_labels() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(thing, E'\n' ORDER BY thing)
  FROM (SELECT format('index %s: %s', indexrelid::regclass, pg_get_indexdef(indexrelid)) FROM pg_index
        WHERE indrelid = to_regclass('public.social_accounts')
          AND concat(pg_get_expr(indpred, indrelid), pg_get_expr(indexprs, indrelid)) LIKE '%::public.social_platform%'
        UNION ALL
        SELECT format('constraint %I: %s', conname, pg_get_constraintdef(oid)) FROM pg_constraint
        WHERE conrelid = to_regclass('public.social_accounts') AND contype = 'c'
          AND pg_get_constraintdef(oid) LIKE '%::public.social_platform%') AS uses (thing);
$$;

-- Rebuilds the type without the labels: PostgreSQL cannot drop one. Rewrites the table under an ACCESS EXCLUSIVE lock.
CREATE OR REPLACE FUNCTION pg_temp.rebuild_enum() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  added   text[] := ARRAY(SELECT pg_temp.added_labels());
  used    bigint;
  preset  text;
  comment text := obj_description(to_regtype('public.social_platform'), 'pg_type');
BEGIN
  IF added = '{}' THEN
    RETURN;
  END IF;
  EXECUTE 'SELECT count(*) FROM public.social_accounts WHERE platform::text = ANY ($1)' INTO used USING added;
  IF used > 0 THEN
    RAISE dependent_objects_still_exist USING MESSAGE = format(
      '%s account(s) have the platform %s: change it, or roll back without rebuilding the enum',
      used, array_to_string(added, ', '));
  END IF;
  IF pg_temp.uses_of_labels() IS NOT NULL THEN
    RAISE dependent_objects_still_exist USING DETAIL = pg_temp.uses_of_labels(), MESSAGE =
      'the type social_platform cannot be rebuilt, because these compare with its labels: compare platform::text instead, '
      'or roll back without rebuilding the enum';
  END IF;
  SELECT pg_get_expr(adbin, adrelid) INTO preset FROM pg_attrdef AS d JOIN pg_attribute AS a
    ON a.attrelid = d.adrelid AND a.attnum = d.adnum
  WHERE d.adrelid = 'public.social_accounts'::regclass AND a.attname = 'platform';
  IF preset IS NOT NULL THEN
    RETURN NEXT pg_temp.run('ALTER TABLE public.social_accounts ALTER COLUMN platform DROP DEFAULT');
  END IF;
  RETURN NEXT pg_temp.run('ALTER TYPE public.social_platform RENAME TO social_platform_before_rollback');
  RETURN NEXT pg_temp.run(format('CREATE TYPE public.social_platform AS ENUM (%s)',
    (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum
     WHERE enumtypid = 'public.social_platform_before_rollback'::regtype AND enumlabel <> ALL (added))));
  RETURN NEXT pg_temp.run(format('ALTER TYPE public.social_platform OWNER TO %s',
    (SELECT typowner::regrole FROM pg_type WHERE oid = 'public.social_platform_before_rollback'::regtype)));
  RETURN NEXT pg_temp.run('ALTER TABLE public.social_accounts ALTER COLUMN platform TYPE public.social_platform '
                          'USING platform::text::public.social_platform');
  IF preset IS NOT NULL THEN
    RETURN NEXT pg_temp.run('ALTER TABLE public.social_accounts ALTER COLUMN platform SET DEFAULT ' || preset);
  END IF;
  RETURN QUERY SELECT pg_temp.copy_privileges('public.social_platform_before_rollback', 'public.social_platform');
  IF comment IS NOT NULL THEN
    RETURN NEXT pg_temp.run(format('COMMENT ON TYPE public.social_platform IS %L', comment));
  END IF;
  RETURN NEXT pg_temp.run('DROP TYPE public.social_platform_before_rollback');
END $$;
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

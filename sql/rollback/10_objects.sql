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

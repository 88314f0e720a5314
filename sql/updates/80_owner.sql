-- ---------------------------------------------------------------------------------------------------------------
-- One owner: that of social_accounts, even when an administrator runs this

CREATE OR REPLACE FUNCTION pg_temp.owner_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $$
  SELECT 'owner', 'one owner', NULL, '{}'::text[], false, statements IS NULL, NULL, statements, NULL, NULL
  FROM (
    SELECT string_agg(format('ALTER %s OWNER TO %I', thing, owner), '; ')
    FROM (SELECT relowner AS owner_id, pg_get_userbyid(relowner) AS owner
          FROM pg_class WHERE oid = to_regclass('public.social_accounts')) AS accounts,
    LATERAL (
      SELECT format('SCHEMA %I', nspname) AS thing, nspowner AS has FROM pg_namespace
      WHERE nspname IN ('socialsync', 'auth') AND pg_temp.is_ours(obj_description(oid, 'pg_namespace'))
      UNION ALL
      SELECT format('%s %s', CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, oid::regclass), relowner
      FROM pg_class
      WHERE relkind IN ('r', 'p', 'v')
        AND (relnamespace = to_regnamespace('socialsync')
             OR oid IN (to_regclass('public.webhook_logs'), to_regclass('public.webhook_quarantine'),
                        to_regclass('public.active_webhook_accounts'), to_regclass('public.webhook_stats_by_user')))
      UNION ALL
      SELECT format('FUNCTION %s', oid::regprocedure), proowner FROM pg_proc
      WHERE pronamespace = to_regnamespace('socialsync')
         OR oid = to_regprocedure('auth.uid()') AND pg_temp.is_ours(obj_description(oid, 'pg_proc'))
         OR pronamespace = 'public'::regnamespace AND proname IN (SELECT name FROM pg_temp.public_functions())
    ) AS ours
    WHERE ours.has <> accounts.owner_id
  ) AS changes (statements);
$$;

-- Whether the weekly partitions that maintain_partitions() makes are all there.
CREATE OR REPLACE FUNCTION pg_temp.has_partitions() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF to_regclass('public.webhook_logs') IS NULL
     OR to_regprocedure('socialsync.wanted_partitions(integer, timestamptz)') IS NULL THEN
    RETURN false;
  END IF;
  RETURN NOT EXISTS (SELECT FROM socialsync.wanted_partitions(4, NULL) AS w
                     WHERE to_regclass('socialsync.' || w.name) IS NULL);
END $$;

CREATE OR REPLACE FUNCTION pg_temp.maintenance_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $$
  SELECT 'partitions', 'weekly partitions of webhook_logs', 'SHARE ROW EXCLUSIVE',
         '{public.users, public.social_accounts}'::text[], false, pg_temp.has_partitions(), NULL,
         'SELECT socialsync.maintain_partitions()', NULL, NULL;
$$;

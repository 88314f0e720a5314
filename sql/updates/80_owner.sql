-- ---------------------------------------------------------------------------------------------------------------
-- One owner of all objects, the owner of social_accounts, even when an administrator runs this

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
             OR oid IN (SELECT to_regclass(t) FROM pg_temp.walled_tables() AS t WHERE t <> 'public.social_accounts')
             OR oid IN (to_regclass('public.active_webhook_accounts'), to_regclass('public.webhook_stats_by_user')))
      UNION ALL
      SELECT format('FUNCTION %s', oid::regprocedure), proowner FROM pg_proc
      WHERE pronamespace = to_regnamespace('socialsync')
         OR oid = pg_temp.routine('auth.uid()') AND pg_temp.is_ours(obj_description(oid, 'pg_proc'))
         OR pronamespace = 'public'::regnamespace AND proname IN (SELECT name FROM pg_temp.public_functions())
    ) AS ours
    WHERE ours.has <> accounts.owner_id
  ) AS changes (statements);
$$;

-- The default partitions of maintain_partitions(). One transaction for each, because it blocks writers of users and
-- social_accounts.
CREATE OR REPLACE FUNCTION pg_temp.maintenance_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $$
  SELECT 'partition.' || right(name, 8), 'partition socialsync.' || name, 'SHARE ROW EXCLUSIVE',
         '{public.users, public.social_accounts}'::text[], false, pg_temp.relation('socialsync.' || name) IS NOT NULL, NULL,
         format('SELECT socialsync.add_partition(%L, %L)', name, monday), NULL, NULL
  FROM pg_temp.wanted_partitions(4, NULL)
  UNION ALL
  SELECT 'partition.attempts', 'partitions of webhook_delivery_attempts', NULL, '{}', false,
         NOT EXISTS (SELECT FROM pg_temp.wanted_attempt_partitions(4) AS w
                     WHERE pg_temp.relation('socialsync.' || w.name) IS NULL), NULL,
         'SELECT socialsync.maintain_attempts(4, NULL)', NULL, NULL;
$$;

-- ---------------------------------------------------------------------------------------------------------------
-- One owner: that of social_accounts, even when an administrator runs this

SELECT format('ALTER %s OWNER TO %I', thing, owner)
FROM (SELECT relowner AS owner_id, pg_get_userbyid(relowner) AS owner
      FROM pg_class WHERE oid = 'public.social_accounts'::regclass) AS accounts,
LATERAL (
  SELECT format('SCHEMA %I', nspname) AS thing, nspowner AS has FROM pg_namespace
  WHERE nspname IN ('socialsync', 'auth') AND pg_temp.is_ours(obj_description(oid, 'pg_namespace'))
  UNION ALL
  SELECT format('%s %s', CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, oid::regclass), relowner
  FROM pg_class
  WHERE relkind IN ('r', 'p', 'v')
    AND (relnamespace = 'socialsync'::regnamespace
         OR oid IN ('public.webhook_logs'::regclass, 'public.webhook_quarantine'::regclass,
                    'public.active_webhook_accounts'::regclass, 'public.webhook_stats_by_user'::regclass))
  UNION ALL
  SELECT format('FUNCTION %s', oid::regprocedure), proowner FROM pg_proc
  WHERE pronamespace = 'socialsync'::regnamespace
     OR oid = 'auth.uid()'::regprocedure AND pg_temp.is_ours(obj_description(oid, 'pg_proc'))
     OR pronamespace = 'public'::regnamespace AND proname IN (SELECT name FROM pg_temp.public_functions())
) AS ours
WHERE ours.has <> accounts.owner_id
\gexec

-- Each in a transaction of its own: while one is made, nobody writes to users and social_accounts.
SELECT format('SELECT ''  made   '' || socialsync.add_partition(%L, %L) || %L', name, monday, ', socialsync.' || name)
FROM socialsync.wanted_partitions(4, NULL) WHERE to_regclass('socialsync.' || name) IS NULL
\gexec

-- ---------------------------------------------------------------------------------------------------------------
-- After all steps: ways in which a tenant could see the rows of another, according to the catalogue

CREATE OR REPLACE FUNCTION pg_temp.leaks() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT format('%s has no row-level security', oid::regclass) FROM pg_class
  WHERE NOT relrowsecurity
    AND (oid IN (SELECT to_regclass(t) FROM pg_temp.walled_tables() AS t)
         OR oid IN (SELECT inhrelid FROM pg_inherits
                    WHERE inhparent IN (to_regclass('public.webhook_logs'), to_regclass('public.webhook_delivery_attempts'))))
  UNION ALL
  SELECT format('authenticated can read social_accounts.%s', secret)
  FROM unnest(ARRAY['app_secret', 'verify_token', 'access_token', 'refresh_token']) AS secret
  WHERE has_column_privilege('authenticated', 'public.social_accounts', secret, 'SELECT')
  UNION ALL
  SELECT format('%s can read %s', role, tbl)
  FROM unnest(ARRAY['anon', 'authenticated']) AS role,
       (SELECT t FROM pg_temp.walled_tables() AS t
        UNION ALL VALUES ('public.active_webhook_accounts'), ('public.webhook_stats_by_user')) AS tables (tbl)
  WHERE has_any_column_privilege(role, tbl, 'SELECT')
    AND (role = 'anon' OR tbl LIKE 'public.webhook\_%' AND tbl NOT IN ('public.webhook_logs', 'public.webhook_stats_by_user'))
  UNION ALL
  SELECT format('%s can call %s', role, p.oid::regprocedure)
  FROM unnest(ARRAY['anon', 'authenticated']) AS role, pg_proc AS p
  WHERE has_function_privilege(role, p.oid, 'EXECUTE')
    AND (p.pronamespace = 'socialsync'::regnamespace
         OR p.pronamespace = 'public'::regnamespace AND p.proname IN (SELECT name FROM pg_temp.public_functions()))
  UNION ALL
  SELECT format('%s does not pin its search_path', oid::regprocedure) FROM pg_proc
  WHERE pronamespace = 'socialsync'::regnamespace AND prosecdef
    AND NOT coalesce(proconfig::text LIKE '%search_path=%', false)
  UNION ALL
  SELECT format('%s runs with its owner''s privileges', oid::regclass) FROM pg_class
  WHERE oid IN (to_regclass('public.active_webhook_accounts'), to_regclass('public.webhook_stats_by_user'))
    AND NOT coalesce('security_invoker=true' = ANY (reloptions), false)
    AND has_table_privilege('authenticated', oid, 'SELECT');
$$;

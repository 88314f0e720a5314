-- The monitoring views have their columns and run with the privileges of their caller. PostgreSQL 14 cannot do that:
-- there, tenants must have no privilege on them.
SELECT CASE WHEN v.columns IS DISTINCT FROM n.columns THEN false
            WHEN v.obeys_caller THEN true
            WHEN current_setting('server_version_num')::int < 150000
                 AND NOT has_any_column_privilege('authenticated', v.oid, 'SELECT') THEN NULL
            ELSE false END AS ok,
       n.name || CASE WHEN v.oid IS NULL THEN ' is missing'
                      WHEN v.columns IS DISTINCT FROM n.columns
                      THEN format(' has the columns %s, wanted %s', v.columns, n.columns)
                      WHEN current_setting('server_version_num')::int >= 150000
                      THEN ' runs with its owner''s privileges (no security_invoker)'
                      WHEN has_any_column_privilege('authenticated', v.oid, 'SELECT')
                      THEN ' shows the rows of all tenants to every signed-in user'
                      ELSE ' is for service_role only: security_invoker needs PostgreSQL 15' END AS item,
       CASE WHEN v.columns IS DISTINCT FROM n.columns THEN NULL
            WHEN current_setting('server_version_num')::int >= 150000
            THEN format('ALTER VIEW public.%I SET (security_invoker = true)', n.name)
            WHEN has_any_column_privilege('authenticated', v.oid, 'SELECT')
            THEN format('REVOKE ALL ON public.%I FROM authenticated, PUBLIC', n.name)
            ELSE 'nothing, or move to PostgreSQL 15 or newer and run: socialsync migrate apply' END AS todo
FROM (VALUES
  ('active_webhook_accounts', 'id, user_id, email, platform, phone_number_id, page_id, business_name, display_name, '
   'webhook_status, last_webhook_at, webhook_events, created_at'),
  ('webhook_stats_by_user', 'user_id, email, platform, business_name, total_webhooks, processed_webhooks, '
   'error_webhooks, avg_processing_time_ms, last_webhook_at')) AS n (name, columns)
LEFT JOIN LATERAL (
  SELECT c.oid, (SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute
                 WHERE attrelid = c.oid AND attnum > 0) AS columns,
         coalesce(c.reloptions && ARRAY['security_invoker=true', 'security_invoker=on'], false) AS obeys_caller
  FROM pg_class AS c WHERE c.oid = to_regclass('public.' || n.name) AND c.relkind = 'v') AS v ON true
UNION ALL
SELECT coalesce('security_barrier=true' = ANY (c.reloptions), false),
       'socialsync.user_emails ' || CASE WHEN c.oid IS NULL THEN 'is missing'
                                         ELSE 'has no security_barrier' END, NULL
FROM (VALUES (1)) AS one
LEFT JOIN pg_class AS c ON c.relnamespace = to_regnamespace('socialsync') AND c.relname = 'user_emails' AND c.relkind = 'v'
UNION ALL
-- A view that is not ours: a note, not a failure.
SELECT DISTINCT true, format('note: view %s, not ours, shows every account to anon or authenticated', v.oid::regclass), NULL
FROM pg_depend AS d JOIN pg_rewrite AS r ON r.oid = d.objid JOIN pg_class AS v ON v.oid = r.ev_class
WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
  AND d.refobjid = to_regclass('public.social_accounts') AND v.relkind IN ('v', 'm')
  AND NOT coalesce(v.reloptions && ARRAY['security_invoker=true', 'security_invoker=on'], false)
  AND (has_any_column_privilege('anon', v.oid, 'SELECT') OR has_any_column_privilege('authenticated', v.oid, 'SELECT'))
  AND v.oid <> ALL (ARRAY[to_regclass('public.active_webhook_accounts'), to_regclass('public.webhook_stats_by_user')]::oid[])

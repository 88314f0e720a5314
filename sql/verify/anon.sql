-- anon has no privilege on any of our objects.
SELECT NOT (has_any_column_privilege('anon', c.oid, 'SELECT, INSERT, UPDATE')
            OR has_table_privilege('anon', c.oid, 'DELETE, TRUNCATE')) AS ok,
       format('anon may use %s', c.oid::regclass) AS item, format('REVOKE ALL ON %s FROM anon, PUBLIC', c.oid::regclass) AS todo
FROM pg_class AS c
WHERE c.oid IN (SELECT to_regclass(t) FROM unnest(ARRAY['public.social_accounts', 'public.webhook_logs',
                  'public.webhook_quarantine', 'public.webhook_endpoints', 'public.webhook_deliveries',
                  'public.webhook_delivery_attempts', 'public.active_webhook_accounts', 'public.webhook_stats_by_user']) AS t)
   OR c.relnamespace = to_regnamespace('socialsync') AND c.relkind IN ('r', 'p', 'v')
UNION ALL
SELECT NOT has_function_privilege('anon', p.oid, 'EXECUTE'), format('anon may call %s', p.oid::regprocedure),
       format('REVOKE ALL ON FUNCTION %s FROM anon, PUBLIC', p.oid::regprocedure)
FROM pg_proc AS p
WHERE p.pronamespace = to_regnamespace('socialsync')
   OR p.pronamespace = 'public'::regnamespace
      AND p.proname IN ('get_whatsapp_user_by_phone_number_id', 'get_instagram_user_by_page_id', 'log_webhook',
                        'mark_webhook_processed', 'claim_webhooks')

-- Secrets cannot be read by the roles of the web API, neither in the table nor through a function.
SELECT NOT has_column_privilege(role, 'public.social_accounts', secret, 'SELECT') AS ok,
       format('%s can read social_accounts.%s', role, secret) AS item,
       'find the role that grants it (\dp public.social_accounts, \du), revoke it, then run: '
       'socialsync migrate apply' AS todo
FROM unnest(ARRAY['authenticated', 'anon']) AS role,
     unnest(ARRAY['app_secret', 'verify_token', 'access_token', 'refresh_token']) AS secret
UNION ALL
SELECT NOT has_any_column_privilege('authenticated', c.oid, 'SELECT'), format('authenticated can read %s', c.oid::regclass),
       format('REVOKE ALL ON %s FROM authenticated', c.oid::regclass)
FROM pg_class AS c
WHERE c.oid IN (to_regclass('public.webhook_quarantine'), to_regclass('public.webhook_endpoints'),
                to_regclass('public.webhook_deliveries'), to_regclass('public.webhook_delivery_attempts'))
   OR c.relnamespace = to_regnamespace('socialsync') AND c.relkind IN ('r', 'p')
UNION ALL
SELECT NOT has_function_privilege('authenticated', p.oid, 'EXECUTE'), format('authenticated can call %s', p.oid::regprocedure),
       format('REVOKE ALL ON FUNCTION %s FROM authenticated, PUBLIC', p.oid::regprocedure)
FROM pg_proc AS p
WHERE p.pronamespace = to_regnamespace('socialsync')
   OR p.pronamespace = 'public'::regnamespace
      AND p.proname IN ('get_whatsapp_user_by_phone_number_id', 'get_instagram_user_by_page_id', 'log_webhook',
                        'mark_webhook_processed', 'claim_webhooks')

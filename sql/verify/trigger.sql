-- What tells running gateways that an account has changed.
SELECT coalesce(t.tgenabled IN ('O', 'A') AND t.definition = n.definition, false) AS ok,
       'socialsync_accounts_changed ' || CASE WHEN t.oid IS NULL THEN 'is missing'
                                              WHEN t.tgenabled NOT IN ('O', 'A') THEN 'is disabled'
                                              ELSE 'is ' || t.definition END AS item,
       CASE WHEN t.tgenabled NOT IN ('O', 'A')
            THEN 'ALTER TABLE public.social_accounts ENABLE TRIGGER socialsync_accounts_changed' END AS todo
FROM (SELECT 'CREATE TRIGGER socialsync_accounts_changed AFTER INSERT OR DELETE OR UPDATE OF platform, account_id, '
             'user_id, is_active, phone_number_id, page_id, app_secret, verify_token, display_phone_number, '
             'webhook_events, webhook_metadata OR TRUNCATE ON public.social_accounts '
             'FOR EACH STATEMENT EXECUTE FUNCTION socialsync.notify_accounts_changed()' AS definition) AS n
LEFT JOIN LATERAL (
  SELECT oid, tgenabled, pg_get_triggerdef(oid) AS definition FROM pg_trigger
  WHERE tgrelid = to_regclass('public.social_accounts') AND tgname = 'socialsync_accounts_changed') AS t ON true
UNION ALL
SELECT coalesce(p.prosrc LIKE '%pg_notify(''socialsync_accounts''%', false),
       'socialsync.notify_accounts_changed() does not announce changes', NULL
FROM (VALUES (1)) AS one
LEFT JOIN pg_proc AS p ON p.pronamespace = to_regnamespace('socialsync') AND p.proname = 'notify_accounts_changed'

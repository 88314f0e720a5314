-- Triggers that notify running gateways of changes, and those that keep endpoints equal to webhook_url.
SELECT coalesce(t.tgenabled IN ('O', 'A') AND t.definition = n.definition, false) AS ok,
       n.name || CASE WHEN t.oid IS NULL THEN ' is missing'
                      WHEN t.tgenabled NOT IN ('O', 'A') THEN ' is disabled'
                      ELSE ' is ' || t.definition END AS item,
       CASE WHEN t.tgenabled NOT IN ('O', 'A') THEN format('ALTER TABLE %s ENABLE TRIGGER %s', n.tbl, n.name) END AS todo
FROM (VALUES
  ('public.social_accounts', 'socialsync_accounts_changed',
   'CREATE TRIGGER socialsync_accounts_changed AFTER INSERT OR DELETE OR UPDATE OF platform, account_id, '
   'user_id, is_active, phone_number_id, page_id, app_secret, verify_token, display_phone_number, '
   'webhook_events, webhook_metadata OR TRUNCATE ON public.social_accounts '
   'FOR EACH STATEMENT EXECUTE FUNCTION socialsync.notify_accounts_changed()'),
  ('public.social_accounts', 'socialsync_webhook_url_given',
   'CREATE TRIGGER socialsync_webhook_url_given AFTER INSERT ON public.social_accounts FOR EACH ROW '
   'WHEN ((new.webhook_url IS NOT NULL)) EXECUTE FUNCTION socialsync.keep_primary_endpoint()'),
  ('public.social_accounts', 'socialsync_webhook_url_changed',
   'CREATE TRIGGER socialsync_webhook_url_changed AFTER UPDATE OF webhook_url ON public.social_accounts FOR EACH ROW '
   'WHEN (((new.webhook_url)::text IS DISTINCT FROM (old.webhook_url)::text)) '
   'EXECUTE FUNCTION socialsync.keep_primary_endpoint()'),
  ('public.webhook_endpoints', 'socialsync_endpoints_changed',
   'CREATE TRIGGER socialsync_endpoints_changed AFTER INSERT OR DELETE OR UPDATE OF social_account_id, url, format, '
   'app_secret, signing_secret, previous_signing_secret, previous_signing_secret_until, headers, webhook_events, '
   'is_enabled, is_ordered, concurrent_max, per_second_max OR TRUNCATE ON public.webhook_endpoints '
   'FOR EACH STATEMENT EXECUTE FUNCTION socialsync.notify_endpoints_changed()'),
  ('public.webhook_endpoints', 'socialsync_endpoint_removed',
   'CREATE TRIGGER socialsync_endpoint_removed AFTER DELETE ON public.webhook_endpoints FOR EACH ROW '
   'EXECUTE FUNCTION socialsync.remove_deliveries()'),
  ('public.social_accounts', 'socialsync_account_given',
   'CREATE TRIGGER socialsync_account_given AFTER UPDATE ON public.social_accounts FOR EACH ROW '
   'WHEN ((new.user_id IS DISTINCT FROM old.user_id)) EXECUTE FUNCTION socialsync.give_endpoints()'),
  ('public.webhook_endpoints', 'socialsync_endpoint_given',
   'CREATE TRIGGER socialsync_endpoint_given BEFORE UPDATE ON public.webhook_endpoints FOR EACH ROW '
   'WHEN (((new.social_account_id IS DISTINCT FROM old.social_account_id) OR (new.id <> old.id))) '
   'EXECUTE FUNCTION socialsync.renew_endpoint()'),
  ('public.webhook_endpoints', 'socialsync_endpoint_renewed',
   'CREATE TRIGGER socialsync_endpoint_renewed AFTER UPDATE ON public.webhook_endpoints FOR EACH ROW '
   'WHEN ((new.id <> old.id)) EXECUTE FUNCTION socialsync.remove_deliveries()')) AS n (tbl, name, definition)
LEFT JOIN LATERAL (
  SELECT oid, tgenabled, pg_get_triggerdef(oid) AS definition FROM pg_trigger
  WHERE tgrelid = to_regclass(n.tbl) AND tgname = n.name) AS t ON true
UNION ALL
SELECT coalesce(p.prosrc LIKE format('%%pg_notify(''%s''%%', n.channel), false),
       format('socialsync.%s() does not announce changes', n.name), NULL
FROM (VALUES ('notify_accounts_changed', 'socialsync_accounts'), ('notify_endpoints_changed', 'socialsync_endpoints'))
  AS n (name, channel)
LEFT JOIN pg_proc AS p ON p.pronamespace = to_regnamespace('socialsync') AND p.proname = n.name

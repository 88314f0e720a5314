-- ---------------------------------------------------------------------------------------------------------------
-- Monitoring views. CREATE OR REPLACE drops options that it does not repeat, so security_invoker is set each time.

-- PostgreSQL 14 has no security_invoker: there, the views are for service_role only.
CREATE OR REPLACE FUNCTION pg_temp.view_statements() RETURNS text LANGUAGE sql AS $view$
  SELECT CASE WHEN current_setting('server_version_num')::integer >= 150000 THEN
    replace(text, ' AS -- security_invoker', ' WITH (security_invoker = true) AS')
    || 'GRANT SELECT ON socialsync.user_emails, public.active_webhook_accounts, public.webhook_stats_by_user '
       'TO authenticated;'
  ELSE text END
  FROM (VALUES ($sql$
-- The views below run with the privileges of their caller, who may not read users. This view runs with those of its owner
-- and returns a signed-in user's own address, or all addresses to roles that may read users. security_barrier evaluates the
-- caller's conditions only on visible rows.
CREATE OR REPLACE VIEW socialsync.user_emails WITH (security_barrier = true) AS
  SELECT u.id, u.email
  FROM public.users AS u
  WHERE u.id = (SELECT auth.uid())
     OR (SELECT pg_has_role('service_role', 'USAGE')
                OR has_column_privilege('public.users', 'email', 'SELECT') AND NOT row_security_active('public.users'));

-- Accounts that can receive webhooks, newest webhook first.
CREATE OR REPLACE VIEW public.active_webhook_accounts AS -- security_invoker
  SELECT a.id, a.user_id, u.email, a.platform, a.phone_number_id, a.page_id, a.business_name, a.display_name,
         a.webhook_status, a.last_webhook_at, a.webhook_events, a.created_at
  FROM public.social_accounts AS a
  LEFT JOIN socialsync.user_emails AS u ON u.id = a.user_id
  WHERE a.is_active AND (a.phone_number_id IS NOT NULL OR a.page_id IS NOT NULL)
  ORDER BY a.last_webhook_at DESC NULLS LAST, a.created_at DESC;

-- One row for each account of a platform with webhooks; 0 without webhooks.
CREATE OR REPLACE VIEW public.webhook_stats_by_user AS -- security_invoker
  SELECT a.user_id, u.email, a.platform, a.business_name, l.total_webhooks, l.processed_webhooks, l.error_webhooks,
         l.avg_processing_time_ms, greatest(a.last_webhook_at, l.newest) AS last_webhook_at
  FROM public.social_accounts AS a
  LEFT JOIN socialsync.user_emails AS u ON u.id = a.user_id
  CROSS JOIN LATERAL (
    SELECT count(*) AS total_webhooks,
           count(*) FILTER (WHERE w.status = 'processed') AS processed_webhooks,
           count(*) FILTER (WHERE w.status = 'error') AS error_webhooks,
           round(avg(w.processing_time_ms), 2) AS avg_processing_time_ms,
           max(w.created_at) AS newest
    FROM public.webhook_logs AS w WHERE w.social_account_id = a.id) AS l
  WHERE a.platform IN ('whatsapp', 'whatsapp_business', 'instagram', 'facebook');

COMMENT ON VIEW socialsync.user_emails IS
  'SocialSync Webhooks: e-mail addresses that the caller may read, for the views in public';
COMMENT ON VIEW public.active_webhook_accounts IS
  'SocialSync Webhooks: accounts that can receive webhooks, newest webhook first; only the caller''s';
COMMENT ON VIEW public.webhook_stats_by_user IS
  'SocialSync Webhooks: the number of webhooks received by each account; only the caller''s';

REVOKE ALL ON socialsync.user_emails, public.active_webhook_accounts, public.webhook_stats_by_user
  FROM PUBLIC, anon, authenticated, service_role;
GRANT SELECT ON socialsync.user_emails, public.active_webhook_accounts, public.webhook_stats_by_user TO service_role;
$sql$)) AS statements (text);
$view$;

CREATE OR REPLACE FUNCTION pg_temp.view_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $$
  SELECT * FROM pg_temp.definition_step('views', 'views active_webhook_accounts, webhook_stats_by_user', '{}',
    '{socialsync.user_emails, public.active_webhook_accounts, public.webhook_stats_by_user}',
    pg_temp.view_statements());
$$;

-- The role that `socialsync serve` needs, with exactly the rights it uses:
--   psql -X -d DATABASE -f sql/gateway_role.sql        or: socialsync migrate sql --gateway-role | psql -X -d DATABASE
-- then a login of its own:
--   CREATE ROLE … LOGIN PASSWORD '…' IN ROLE socialsync_gateway;
-- It reads what webhooks are verified and routed by, writes events and cannot read them again, and sees no access
-- token and no user. Run it again after an update; before a rollback: DROP OWNED BY socialsync_gateway.
-- With SOCIALSYNC_SECRETS_SEAL it has to write what it seals: GRANT UPDATE (app_secret, verify_token) ON
-- public.social_accounts TO socialsync_gateway; and for tokens SELECT (…) and UPDATE (…) of their columns.
-- By the owner of the tables, who may create roles. Safe to repeat.
\set ON_ERROR_STOP on
SET client_min_messages = warning;

SELECT 'CREATE ROLE socialsync_gateway NOLOGIN' WHERE to_regrole('socialsync_gateway') IS NULL \gexec

BEGIN;
SET LOCAL lock_timeout = '2s';

GRANT USAGE ON SCHEMA public, socialsync TO socialsync_gateway;

-- What it routes and verifies by; what it learns and when it saw the last webhook.
GRANT SELECT (id, user_id, platform, account_id, is_active, created_at, phone_number_id, page_id, display_phone_number,
              app_secret, verify_token, webhook_events, webhook_metadata, webhook_status, last_webhook_at)
  ON public.social_accounts TO socialsync_gateway;
GRANT UPDATE (last_webhook_at, webhook_status, webhook_metadata, display_phone_number)
  ON public.social_accounts TO socialsync_gateway;

-- Events: their ids tell which are new. What they say stays unread.
GRANT INSERT, SELECT (id) ON public.webhook_logs TO socialsync_gateway;
GRANT SELECT, INSERT, DELETE ON public.webhook_quarantine TO socialsync_gateway;
GRANT SELECT (key, log_id), INSERT ON socialsync.webhook_event_keys TO socialsync_gateway;
GRANT EXECUTE ON FUNCTION socialsync.maintain_partitions(integer, integer) TO socialsync_gateway;

-- Row-level security is on: without a policy it would see no row.
SELECT format('CREATE POLICY socialsync_gateway ON %s TO socialsync_gateway USING (true)', t)
FROM unnest(ARRAY['public.social_accounts', 'public.webhook_logs', 'public.webhook_quarantine']) AS t
WHERE NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = t::regclass AND polname = 'socialsync_gateway') \gexec

COMMIT;

-- Creates the roles of `socialsync serve` with exactly the privileges it uses:
--   psql -X -d DATABASE -f sql/gateway_role.sql        or: socialsync migrate sql --gateway-role | psql -X -d DATABASE
-- then create a login:
--   CREATE ROLE … LOGIN PASSWORD '…' IN ROLE socialsync_gateway, socialsync_deliverer;
-- socialsync_gateway receives webhooks: it reads routing keys and verification secrets, inserts events and deliveries, and
-- cannot read events. socialsync_deliverer delivers: it reads events, and URLs and secrets of endpoints, and no account.
-- Neither reads access tokens or users. A login for `serve --ingest-only` needs only socialsync_gateway.
-- Run it again after an update; before a rollback: DROP OWNED BY socialsync_gateway, socialsync_deliverer.
-- With SOCIALSYNC_SECRETS_SEAL the gateway writes encrypted secrets: GRANT UPDATE (app_secret, verify_token) ON
-- public.social_accounts TO socialsync_gateway; for tokens, and for app_secret, signing_secret and previous_signing_secret
-- of public.webhook_endpoints, also SELECT (…) and UPDATE (…) of these columns.
-- Run it as the owner of the tables, with the privilege to create roles. Safe to repeat.
\set ON_ERROR_STOP on
SET client_min_messages = warning;

SELECT 'CREATE ROLE socialsync_gateway NOLOGIN' WHERE to_regrole('socialsync_gateway') IS NULL \gexec
SELECT 'CREATE ROLE socialsync_deliverer NOLOGIN' WHERE to_regrole('socialsync_deliverer') IS NULL \gexec

BEGIN;
SET LOCAL lock_timeout = '2s';

GRANT USAGE ON SCHEMA public, socialsync TO socialsync_gateway, socialsync_deliverer;

-- Columns to route and verify by, and columns that it updates from webhooks.
GRANT SELECT (id, user_id, platform, account_id, is_active, created_at, phone_number_id, page_id, display_phone_number,
              app_secret, verify_token, webhook_events, webhook_metadata, webhook_status, last_webhook_at)
  ON public.social_accounts TO socialsync_gateway;
GRANT UPDATE (last_webhook_at, webhook_status, webhook_metadata, display_phone_number)
  ON public.social_accounts TO socialsync_gateway;

-- Events: SELECT on id detects duplicates; payloads are not readable.
GRANT INSERT, SELECT (id) ON public.webhook_logs TO socialsync_gateway;
GRANT SELECT, INSERT, DELETE ON public.webhook_quarantine TO socialsync_gateway;
GRANT SELECT (key, log_id), INSERT ON socialsync.webhook_event_keys TO socialsync_gateway;
GRANT EXECUTE ON FUNCTION socialsync.maintain_partitions(integer, integer) TO socialsync_gateway;

-- The outbox: subscriptions of endpoints, and inserting deliveries.
REVOKE SELECT (url) ON public.webhook_endpoints FROM socialsync_gateway;  -- granted by an earlier version
GRANT SELECT (id, social_account_id, place, webhook_events, is_enabled, is_ordered)
  ON public.webhook_endpoints TO socialsync_gateway;
GRANT INSERT, SELECT (event_id, endpoint_id) ON public.webhook_deliveries TO socialsync_gateway;
GRANT USAGE ON SEQUENCE public.webhook_delivery_position TO socialsync_gateway, socialsync_deliverer;

-- Deliveries: URLs and secrets of endpoints, attempts, and the status of events.
GRANT SELECT ON public.webhook_endpoints TO socialsync_deliverer;
GRANT EXECUTE ON FUNCTION socialsync.record_endpoint_news(uuid, boolean, smallint, text) TO socialsync_deliverer;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.webhook_deliveries TO socialsync_deliverer;
GRANT INSERT ON public.webhook_delivery_attempts TO socialsync_deliverer;
GRANT SELECT (id, social_account_id, platform, webhook_type, payload, exact_payload, status, customer_identifier,
              created_at),
      UPDATE (status, processing_time_ms, error_message)
  ON public.webhook_logs TO socialsync_deliverer;

-- With row-level security, a role without a policy sees no rows.
SELECT format('CREATE POLICY %I ON public.%I TO %1$I USING (true)', role, tbl)
FROM (VALUES ('socialsync_gateway', ARRAY['social_accounts', 'webhook_logs', 'webhook_quarantine', 'webhook_endpoints',
                                          'webhook_deliveries']),
             ('socialsync_deliverer', ARRAY['webhook_logs', 'webhook_endpoints', 'webhook_deliveries',
                                            'webhook_delivery_attempts'])) AS wanted (role, tables), unnest(tables) AS tbl
WHERE NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = format('public.%I', tbl)::regclass AND polname = role) \gexec

COMMIT;

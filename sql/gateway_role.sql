-- The roles that `socialsync serve` needs, with exactly the rights it uses:
--   psql -X -d DATABASE -f sql/gateway_role.sql        or: socialsync migrate sql --gateway-role | psql -X -d DATABASE
-- then a login of its own:
--   CREATE ROLE … LOGIN PASSWORD '…' IN ROLE socialsync_gateway, socialsync_deliverer;
-- socialsync_gateway takes webhooks in: it reads what they are verified and routed by, writes events and what is to be
-- delivered, and cannot read them again. socialsync_deliverer hands them on: it reads events, and the URLs and secrets of
-- endpoints, and no account. Neither sees an access token or a user. A login of `serve --ingest-only` needs the first
-- alone, and cannot read events.
-- Run it again after an update; before a rollback: DROP OWNED BY socialsync_gateway, socialsync_deliverer.
-- With SOCIALSYNC_SECRETS_SEAL it has to write what it seals: GRANT UPDATE (app_secret, verify_token) ON
-- public.social_accounts TO socialsync_gateway; for tokens, and for app_secret, signing_secret and previous_signing_secret
-- of public.webhook_endpoints, SELECT (…) and UPDATE (…) of their columns.
-- By the owner of the tables, who may create roles. Safe to repeat.
\set ON_ERROR_STOP on
SET client_min_messages = warning;

SELECT 'CREATE ROLE socialsync_gateway NOLOGIN' WHERE to_regrole('socialsync_gateway') IS NULL \gexec
SELECT 'CREATE ROLE socialsync_deliverer NOLOGIN' WHERE to_regrole('socialsync_deliverer') IS NULL \gexec

BEGIN;
SET LOCAL lock_timeout = '2s';

GRANT USAGE ON SCHEMA public, socialsync TO socialsync_gateway, socialsync_deliverer;

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

-- The outbox: which endpoints want an event, and that it is to go there.
REVOKE SELECT (url) ON public.webhook_endpoints FROM socialsync_gateway;  -- an earlier version gave it
GRANT SELECT (id, social_account_id, place, webhook_events, is_enabled, is_ordered)
  ON public.webhook_endpoints TO socialsync_gateway;
GRANT INSERT, SELECT (event_id, endpoint_id) ON public.webhook_deliveries TO socialsync_gateway;
GRANT USAGE ON SEQUENCE public.webhook_delivery_position TO socialsync_gateway, socialsync_deliverer;

-- Deliveries: where they go and signed with what, how that went, and what became of the event.
GRANT SELECT ON public.webhook_endpoints TO socialsync_deliverer;
GRANT EXECUTE ON FUNCTION socialsync.record_endpoint_news(uuid, boolean, smallint, text) TO socialsync_deliverer;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.webhook_deliveries TO socialsync_deliverer;
GRANT INSERT ON public.webhook_delivery_attempts TO socialsync_deliverer;
GRANT SELECT (id, social_account_id, platform, webhook_type, payload, exact_payload, status, customer_identifier,
              created_at),
      UPDATE (status, processing_time_ms, error_message)
  ON public.webhook_logs TO socialsync_deliverer;

-- Row-level security is on: without a policy they would see no row.
SELECT format('CREATE POLICY %I ON public.%I TO %1$I USING (true)', role, tbl)
FROM (VALUES ('socialsync_gateway', ARRAY['social_accounts', 'webhook_logs', 'webhook_quarantine', 'webhook_endpoints',
                                          'webhook_deliveries']),
             ('socialsync_deliverer', ARRAY['webhook_logs', 'webhook_endpoints', 'webhook_deliveries',
                                            'webhook_delivery_attempts'])) AS wanted (role, tables), unnest(tables) AS tbl
WHERE NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = format('public.%I', tbl)::regclass AND polname = role) \gexec

COMMIT;

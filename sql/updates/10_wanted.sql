-- ---------------------------------------------------------------------------------------------------------------
-- The final state of objects that may exist before the update

-- The columns that the update adds to social_accounts.
CREATE OR REPLACE FUNCTION pg_temp.new_columns()
RETURNS TABLE (name text, type text, default_value text) LANGUAGE sql AS $$
  VALUES
    ('phone_number_id',      'character varying(100)',   NULL),
    ('page_id',              'character varying(100)',   NULL),
    ('app_secret',           'character varying(1000)',  NULL),  -- an encrypted secret is longer
    ('verify_token',         'character varying(1000)',  NULL),
    ('webhook_url',          'character varying(500)',   NULL),
    ('business_name',        'character varying(255)',   NULL),
    ('display_phone_number', 'character varying(20)',    NULL),
    ('webhook_events',       'text[]',                   NULL),
    ('webhook_status',       'character varying(50)',    '''inactive''::character varying'),
    ('last_webhook_at',      'timestamp with time zone', NULL),
    ('webhook_metadata',     'jsonb',                    '''{}''::jsonb');
$$;

-- Required columns of the application's tables, and columns of our tables, which may exist before the update. A type
-- without length matches any length.
CREATE OR REPLACE FUNCTION pg_temp.needed_columns()
RETURNS TABLE (tbl text, name text, types text[]) LANGUAGE sql AS $$
  VALUES
    ('public.users', 'id', ARRAY['uuid']),
    ('public.users', 'email', ARRAY['character varying', 'text']),
    ('public.social_accounts', 'id', ARRAY['uuid']),
    ('public.social_accounts', 'platform', ARRAY['public.social_platform']),
    ('public.social_accounts', 'account_id', ARRAY['character varying', 'text']),
    ('public.social_accounts', 'username', ARRAY['character varying', 'text']),
    ('public.social_accounts', 'display_name', ARRAY['character varying', 'text']),
    ('public.social_accounts', 'access_token', ARRAY['text', 'character varying']),
    ('public.social_accounts', 'refresh_token', ARRAY['text', 'character varying']),
    ('public.social_accounts', 'is_active', ARRAY['boolean']),
    ('public.social_accounts', 'user_id', ARRAY['uuid']),
    ('public.social_accounts', 'created_at', ARRAY['timestamp with time zone', 'timestamp without time zone']),
    ('public.webhook_logs', 'id', ARRAY['uuid']),
    ('public.webhook_logs', 'social_account_id', ARRAY['uuid']),
    ('public.webhook_logs', 'platform', ARRAY['public.social_platform']),
    ('public.webhook_logs', 'webhook_type', ARRAY['character varying(50)']),
    ('public.webhook_logs', 'payload', ARRAY['jsonb']),
    ('public.webhook_logs', 'exact_payload', ARRAY['bytea']),
    ('public.webhook_logs', 'status', ARRAY['character varying(50)']),
    ('public.webhook_logs', 'processing_time_ms', ARRAY['integer']),
    ('public.webhook_logs', 'error_message', ARRAY['text']),
    ('public.webhook_logs', 'external_message_id', ARRAY['character varying(255)']),
    ('public.webhook_logs', 'customer_identifier', ARRAY['character varying(255)']),
    ('public.webhook_logs', 'user_id', ARRAY['uuid']),
    ('public.webhook_logs', 'created_at', ARRAY['timestamp with time zone']),
    ('public.webhook_quarantine', 'id', ARRAY['uuid']),
    ('public.webhook_quarantine', 'reason', ARRAY['text']),
    ('public.webhook_quarantine', 'platform', ARRAY['text']),
    ('public.webhook_quarantine', 'routing_key', ARRAY['text']),
    ('public.webhook_quarantine', 'webhook_type', ARRAY['text']),
    ('public.webhook_quarantine', 'detail', ARRAY['text']),
    ('public.webhook_quarantine', 'signed_by', ARRAY['text']),
    ('public.webhook_quarantine', 'body', ARRAY['bytea']),
    ('public.webhook_quarantine', 'event_time', ARRAY['timestamp with time zone']),
    ('public.webhook_quarantine', 'created_at', ARRAY['timestamp with time zone']),
    ('public.webhook_endpoints', 'id', ARRAY['uuid']),
    ('public.webhook_endpoints', 'social_account_id', ARRAY['uuid']),
    ('public.webhook_endpoints', 'place', ARRAY['smallint']),
    ('public.webhook_endpoints', 'url', ARRAY['character varying(500)']),
    ('public.webhook_endpoints', 'description', ARRAY['text']),
    ('public.webhook_endpoints', 'format', ARRAY['text']),
    ('public.webhook_endpoints', 'app_secret', ARRAY['character varying(1000)']),
    ('public.webhook_endpoints', 'signing_secret', ARRAY['character varying(1000)']),
    ('public.webhook_endpoints', 'previous_signing_secret', ARRAY['character varying(1000)']),
    ('public.webhook_endpoints', 'previous_signing_secret_until', ARRAY['timestamp with time zone']),
    ('public.webhook_endpoints', 'headers', ARRAY['jsonb']),
    ('public.webhook_endpoints', 'webhook_events', ARRAY['text[]']),
    ('public.webhook_endpoints', 'is_enabled', ARRAY['boolean']),
    ('public.webhook_endpoints', 'disabled_because', ARRAY['text']),
    ('public.webhook_endpoints', 'is_ordered', ARRAY['boolean']),
    ('public.webhook_endpoints', 'concurrent_max', ARRAY['integer']),
    ('public.webhook_endpoints', 'per_second_max', ARRAY['integer']),
    ('public.webhook_endpoints', 'failing_since', ARRAY['timestamp with time zone']),
    ('public.webhook_endpoints', 'warned_percent', ARRAY['smallint']),
    ('public.webhook_endpoints', 'created_at', ARRAY['timestamp with time zone']),
    ('public.webhook_deliveries', 'event_id', ARRAY['uuid']),
    ('public.webhook_deliveries', 'endpoint_id', ARRAY['uuid']),
    ('public.webhook_deliveries', 'due_at', ARRAY['timestamp with time zone']),
    ('public.webhook_deliveries', 'attempts', ARRAY['smallint']),
    ('public.webhook_deliveries', 'conversation', ARRAY['bigint']),
    ('public.webhook_deliveries', 'position', ARRAY['bigint']),
    ('public.webhook_deliveries', 'created_at', ARRAY['timestamp with time zone']),
    ('public.webhook_delivery_attempts', 'attempted_at', ARRAY['timestamp with time zone']),
    ('public.webhook_delivery_attempts', 'event_id', ARRAY['uuid']),
    ('public.webhook_delivery_attempts', 'endpoint_id', ARRAY['uuid']),
    ('public.webhook_delivery_attempts', 'attempt', ARRAY['smallint']),
    ('public.webhook_delivery_attempts', 'http_status', ARRAY['smallint']),
    ('public.webhook_delivery_attempts', 'took_ms', ARRAY['integer']),
    ('public.webhook_delivery_attempts', 'error', ARRAY['text']),
    ('public.webhook_delivery_attempts', 'detail', ARRAY['text']),
    ('public.webhook_delivery_attempts', 'response_head', ARRAY['bytea']);
$$;

-- Definitions as pg_get_indexdef() returns them. The index step adds CONCURRENTLY.
CREATE OR REPLACE FUNCTION pg_temp.unique_indexes()
RETURNS TABLE (name text, column_name text, definition text) LANGUAGE sql AS $$
  SELECT format('idx_social_accounts_%s', c), c,
         format('CREATE UNIQUE INDEX idx_social_accounts_%1$s ON public.social_accounts USING btree (%1$s) '
                'WHERE (%1$s IS NOT NULL)', c)
  FROM unnest(ARRAY['phone_number_id', 'page_id']) AS c;
$$;

-- CHECKs on social_accounts as pg_get_constraintdef() returns them, and a condition for the rows that violate each.
CREATE OR REPLACE FUNCTION pg_temp.account_checks()
RETURNS TABLE (name text, definition text, violated_by text) LANGUAGE sql AS $$
  VALUES
    ('social_accounts_whatsapp_has_phone_number_id',
     'CHECK ((((platform)::text <> ALL (ARRAY[''whatsapp''::text, ''whatsapp_business''::text])) '
     'OR (phone_number_id IS NOT NULL)))',
     'platform::text IN (''whatsapp'', ''whatsapp_business'') AND phone_number_id IS NULL'),
    ('social_accounts_instagram_has_page_id',
     'CHECK ((((platform)::text <> ''instagram''::text) OR (page_id IS NOT NULL)))',
     'platform::text = ''instagram'' AND page_id IS NULL'),
    ('social_accounts_webhook_status_known',
     'CHECK (((webhook_status)::text = ANY (ARRAY[''inactive''::text, ''active''::text, ''error''::text])))',
     'webhook_status NOT IN (''inactive'', ''active'', ''error'')');
$$;

-- Policies, with `condition` as pg_get_expr() returns it.
CREATE OR REPLACE FUNCTION pg_temp.policies()
RETURNS TABLE (tbl text, name text, kind text, command text, grantee text, condition text) LANGUAGE sql AS $$
  SELECT t, p.* FROM unnest(ARRAY['public.social_accounts', 'public.webhook_logs']) AS t,
    (VALUES
      ('webhooks_own_rows', 'PERMISSIVE', 'SELECT', 'authenticated', '(user_id = ( SELECT auth.uid() AS uid))'),
      -- Permissive policies add up, and an older one may allow more: restrictive policies bound them all.
      ('webhooks_only_own_rows', 'RESTRICTIVE', 'ALL', 'authenticated', '(user_id = ( SELECT auth.uid() AS uid))'),
      ('webhooks_not_for_anon', 'RESTRICTIVE', 'ALL', 'anon', 'false'),
      ('webhooks_service', 'PERMISSIVE', 'ALL', 'service_role', 'true')) AS p
  UNION ALL
  -- The account with a Page's id receives its events: only the service may insert such accounts, not the user.
  VALUES ('public.social_accounts', 'webhooks_no_own_claims', 'RESTRICTIVE', 'INSERT', 'authenticated',
          '((platform)::text <> ALL (ARRAY[''whatsapp''::text, ''whatsapp_business''::text, ''instagram''::text, '
          '''facebook''::text]))')
  UNION ALL
  SELECT 'public.' || t, 'webhooks_service', 'PERMISSIVE', 'ALL', 'service_role', 'true'
  FROM unnest(ARRAY['webhook_quarantine', 'webhook_endpoints', 'webhook_deliveries', 'webhook_delivery_attempts']) AS t;
$$;

-- The tables with row-level security: each of their rows belongs to a tenant.
CREATE OR REPLACE FUNCTION pg_temp.walled_tables() RETURNS SETOF text LANGUAGE sql STABLE AS $$
  SELECT DISTINCT tbl FROM pg_temp.policies() ORDER BY tbl;
$$;

-- The functions that programs call.
CREATE OR REPLACE FUNCTION pg_temp.public_functions()
RETURNS TABLE (name text, arguments text) LANGUAGE sql AS $$
  VALUES
    ('get_whatsapp_user_by_phone_number_id', 'character varying'),
    ('get_instagram_user_by_page_id', 'character varying'),
    ('log_webhook', 'uuid, public.social_platform, character varying, jsonb, character varying, character varying'),
    ('mark_webhook_processed', 'uuid, integer, text'),
    ('claim_webhooks', 'uuid, integer, interval');
$$;

-- The trigger as pg_get_triggerdef() returns it: its columns are those that the gateway uses to route and verify.
CREATE OR REPLACE FUNCTION pg_temp.account_trigger() RETURNS text LANGUAGE sql AS $$
  SELECT 'CREATE TRIGGER socialsync_accounts_changed AFTER INSERT OR DELETE OR UPDATE OF platform, account_id, '
         'user_id, is_active, phone_number_id, page_id, app_secret, verify_token, display_phone_number, '
         'webhook_events, webhook_metadata OR TRUNCATE ON public.social_accounts '
         'FOR EACH STATEMENT EXECUTE FUNCTION socialsync.notify_accounts_changed()';
$$;

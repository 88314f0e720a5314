-- ---------------------------------------------------------------------------------------------------------------
-- Endpoints, the outbox, and delivery attempts

CREATE OR REPLACE FUNCTION pg_temp.endpoint_triggers() RETURNS TABLE (tbl text, name text, definition text)
LANGUAGE sql AS $$
  VALUES
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
     'WHEN ((new.id <> old.id)) EXECUTE FUNCTION socialsync.remove_deliveries()');
$$;

CREATE OR REPLACE FUNCTION pg_temp.delivery_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $steps$
  SELECT * FROM pg_temp.definition_step('function.endpoint_secrets', 'functions for secrets of endpoints',
    '{socialsync.new_signing_secret(), socialsync.new_app_secret()}', '{}', $sql$
-- 30 random bytes in base64: Standard Webhooks requires 24 to 64. A UUID has 122 random bits of 128.
CREATE OR REPLACE FUNCTION socialsync.new_signing_secret() RETURNS text
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
  SELECT 'whsec_' || encode(substring(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) FROM 1 FOR 30), 'base64');
$$;
COMMENT ON FUNCTION socialsync.new_signing_secret() IS
  'SocialSync Webhooks: a new secret for the Standard Webhooks signature of an endpoint';

-- A secret in the format of Meta's app secrets.
CREATE OR REPLACE FUNCTION socialsync.new_app_secret() RETURNS text
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
  SELECT replace(gen_random_uuid()::text, '-', '');
$$;
COMMENT ON FUNCTION socialsync.new_app_secret() IS
  'SocialSync Webhooks: a new secret for the X-Hub-Signature-256 of an endpoint';
REVOKE ALL ON FUNCTION socialsync.new_signing_secret(), socialsync.new_app_secret() FROM PUBLIC, anon, authenticated;
GRANT EXECUTE ON FUNCTION socialsync.new_signing_secret(), socialsync.new_app_secret() TO service_role;
$sql$)
  UNION ALL
  SELECT 'table.webhook_endpoints', 'table webhook_endpoints', 'SHARE ROW EXCLUSIVE', '{public.social_accounts}'::text[],
         false, to_regclass('public.webhook_endpoints') IS NOT NULL, NULL, $sql$
  CREATE TABLE public.webhook_endpoints (
    id                            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    social_account_id             uuid REFERENCES public.social_accounts (id) ON DELETE CASCADE,
    place                         smallint NOT NULL DEFAULT 0
                                  CONSTRAINT webhook_endpoints_place_known CHECK (place >= 0 AND place <= 9),
    url                           varchar(500),
    description                   text,
    format                        text NOT NULL DEFAULT 'meta'
                                  CONSTRAINT webhook_endpoints_format_known CHECK (format IN ('meta', 'standard')),
    app_secret                    varchar(1000) NOT NULL DEFAULT socialsync.new_app_secret(),
    signing_secret                varchar(1000) NOT NULL DEFAULT socialsync.new_signing_secret(),
    previous_signing_secret       varchar(1000),
    previous_signing_secret_until timestamptz,
    headers                       jsonb NOT NULL DEFAULT '{}'
                                  CONSTRAINT webhook_endpoints_headers_object CHECK (jsonb_typeof(headers) = 'object'),
    webhook_events                text[],
    is_enabled                    boolean NOT NULL DEFAULT true,
    disabled_because              text,
    is_ordered                    boolean NOT NULL DEFAULT false,
    concurrent_max                integer NOT NULL DEFAULT 16
                                  CONSTRAINT webhook_endpoints_concurrent_max_known
                                  CHECK (concurrent_max >= 1 AND concurrent_max <= 256),
    per_second_max                integer
                                  CONSTRAINT webhook_endpoints_per_second_max_known CHECK (per_second_max >= 1),
    failing_since                 timestamptz,
    warned_percent                smallint NOT NULL DEFAULT 0,
    created_at                    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (social_account_id, place)
  );
  COMMENT ON TABLE public.webhook_endpoints IS
    'SocialSync Webhooks: the endpoints of accounts; place 0 is the account''s webhook_url';
  COMMENT ON COLUMN public.webhook_endpoints.social_account_id IS
    'null: the operator''s own, for events of no account';
  COMMENT ON COLUMN public.webhook_endpoints.url IS 'null: its events are pulled with claim_webhooks()';
  COMMENT ON COLUMN public.webhook_endpoints.app_secret IS
    'key of X-Hub-Signature-256, which the receiver uses like Meta''s app secret; never Meta''s own';
  COMMENT ON COLUMN public.webhook_endpoints.signing_secret IS 'key of webhook-signature (Standard Webhooks)';
  ALTER TABLE public.webhook_endpoints ENABLE ROW LEVEL SECURITY;
  REVOKE ALL ON public.webhook_endpoints FROM PUBLIC, anon, authenticated;
  $sql$, NULL, NULL
  UNION ALL
  -- No foreign keys: each would cost as much as the row. A trigger deletes the deliveries of a removed endpoint; workers
  -- delete those of a deleted event when they claim them.
  SELECT 'table.webhook_deliveries', 'table webhook_deliveries', NULL, '{}', false,
         to_regclass('public.webhook_deliveries') IS NOT NULL, NULL, $sql$
  CREATE SEQUENCE public.webhook_delivery_position CACHE 1;
  CREATE TABLE public.webhook_deliveries (
    event_id     uuid NOT NULL,
    endpoint_id  uuid NOT NULL,
    due_at       timestamptz NOT NULL DEFAULT now(),
    attempts     smallint NOT NULL DEFAULT 0,
    conversation bigint,
    position     bigint,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (event_id, endpoint_id)
  ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 20000,
          autovacuum_vacuum_cost_delay = 0);
  ALTER SEQUENCE public.webhook_delivery_position OWNED BY public.webhook_deliveries.position;
  COMMENT ON TABLE public.webhook_deliveries IS
    'SocialSync Webhooks: the outbox: deliveries that are due, leased or dead-lettered (due_at infinity)';
  COMMENT ON COLUMN public.webhook_deliveries.due_at IS
    'when it is due; while leased, the end of the lease; infinity: dead-lettered';
  COMMENT ON COLUMN public.webhook_deliveries.conversation IS
    'only for ordered endpoints: deliveries of one conversation are sent one at a time, by position';
  CREATE INDEX idx_webhook_deliveries_due ON public.webhook_deliveries (endpoint_id, due_at);
  CREATE INDEX idx_webhook_deliveries_conversation ON public.webhook_deliveries (endpoint_id, conversation, position)
    WHERE conversation IS NOT NULL AND due_at < 'infinity';
  ALTER TABLE public.webhook_deliveries ENABLE ROW LEVEL SECURITY;
  REVOKE ALL ON public.webhook_deliveries FROM PUBLIC, anon, authenticated;
  REVOKE ALL ON SEQUENCE public.webhook_delivery_position FROM PUBLIC, anon, authenticated;
  GRANT USAGE ON SEQUENCE public.webhook_delivery_position TO service_role;
  $sql$, NULL, NULL
  UNION ALL
  SELECT 'table.webhook_delivery_attempts', 'table webhook_delivery_attempts', NULL, '{}', false,
         to_regclass('public.webhook_delivery_attempts') IS NOT NULL, NULL, $sql$
  CREATE TABLE public.webhook_delivery_attempts (
    attempted_at  timestamptz NOT NULL DEFAULT now(),
    event_id      uuid NOT NULL,
    endpoint_id   uuid NOT NULL,
    attempt       smallint NOT NULL,
    http_status   smallint,
    took_ms       integer NOT NULL,
    error         text,
    detail        text,
    response_head bytea
  ) PARTITION BY RANGE (attempted_at);
  COMMENT ON TABLE public.webhook_delivery_attempts IS
    'SocialSync Webhooks: all delivery attempts, in weekly partitions, kept for 30 days';
  COMMENT ON COLUMN public.webhook_delivery_attempts.error IS
    'null: delivered; http_status, timed_out, not_connected, name_not_found, address_refused, tls_failed, …';
  CREATE INDEX idx_webhook_delivery_attempts_event ON public.webhook_delivery_attempts (event_id);
  CREATE INDEX idx_webhook_delivery_attempts_endpoint ON public.webhook_delivery_attempts (endpoint_id, attempted_at DESC);
  ALTER TABLE public.webhook_delivery_attempts ENABLE ROW LEVEL SECURITY;
  REVOKE ALL ON public.webhook_delivery_attempts FROM PUBLIC, anon, authenticated;
  CREATE TABLE socialsync.webhook_delivery_attempts_default PARTITION OF public.webhook_delivery_attempts DEFAULT;
  COMMENT ON TABLE socialsync.webhook_delivery_attempts_default IS
    'SocialSync Webhooks: attempts outside of all weekly partitions';
  ALTER TABLE socialsync.webhook_delivery_attempts_default ENABLE ROW LEVEL SECURITY;
  REVOKE ALL ON socialsync.webhook_delivery_attempts_default FROM PUBLIC, anon, authenticated;
  $sql$, NULL, NULL
  UNION ALL
  SELECT * FROM pg_temp.definition_step('function.endpoints', 'functions of the triggers of endpoints',
    '{socialsync.keep_primary_endpoint(), socialsync.notify_endpoints_changed(), socialsync.remove_deliveries(),
      socialsync.renew_endpoint(), socialsync.give_endpoints()}', '{}',
    $sql$
-- Keeps the endpoint of place 0 equal to the account's webhook_url; an empty or blank URL is none. SECURITY DEFINER: a role
-- that may write that column need not see endpoints.
CREATE OR REPLACE FUNCTION socialsync.keep_primary_endpoint() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NEW.webhook_url ~ '[^[:space:]]' THEN
    INSERT INTO public.webhook_endpoints AS e (social_account_id, url) VALUES (NEW.id, NEW.webhook_url)
    ON CONFLICT (social_account_id, place) DO UPDATE
    SET url = excluded.url, is_enabled = true, disabled_because = NULL, failing_since = NULL, warned_percent = 0
    WHERE e.url IS DISTINCT FROM excluded.url;
  ELSE
    DELETE FROM public.webhook_endpoints WHERE social_account_id = NEW.id AND place = 0;
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION socialsync.notify_endpoints_changed() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_notify('socialsync_endpoints', '');
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION socialsync.remove_deliveries() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM public.webhook_deliveries WHERE endpoint_id = OLD.id;
  RETURN NULL;
END $$;

-- Makes an endpoint that moves to another owner a new endpoint: a new id, because gateways, workers and open transactions
-- still use the old one; new secrets and no headers, unless the same statement sets them.
CREATE OR REPLACE FUNCTION socialsync.renew_endpoint() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NEW.id = OLD.id THEN
    IF (SELECT user_id FROM public.social_accounts WHERE id = OLD.social_account_id)
       = (SELECT user_id FROM public.social_accounts WHERE id = NEW.social_account_id) THEN
      RETURN NEW;
    END IF;
    NEW.id := gen_random_uuid();
    IF NEW.url IS NOT DISTINCT FROM OLD.url AND NEW.url IS NOT NULL THEN
      NEW.is_enabled := false;
      NEW.disabled_because := 'it was given to the account of another user';
    END IF;
  END IF;
  IF NEW.app_secret = OLD.app_secret THEN
    NEW.app_secret := socialsync.new_app_secret();
  END IF;
  IF NEW.signing_secret = OLD.signing_secret THEN
    NEW.signing_secret := socialsync.new_signing_secret();
  END IF;
  IF NEW.headers = OLD.headers THEN
    NEW.headers := '{}';
  END IF;
  NEW.previous_signing_secret := NULL;
  NEW.previous_signing_secret_until := NULL;
  NEW.failing_since := NULL;
  NEW.warned_percent := 0;
  RETURN NEW;
END $$;

-- The webhook_url belongs to the account and stays; the former owner chose the other URLs.
CREATE OR REPLACE FUNCTION socialsync.give_endpoints() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE public.webhook_endpoints SET id = gen_random_uuid(), is_enabled = is_enabled AND (place = 0 OR url IS NULL),
         disabled_because = CASE WHEN is_enabled AND place > 0 AND url IS NOT NULL
                                 THEN 'its account was given to another user' ELSE disabled_because END
  WHERE social_account_id = NEW.id;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION socialsync.keep_primary_endpoint(), socialsync.notify_endpoints_changed(),
  socialsync.remove_deliveries(), socialsync.renew_endpoint(), socialsync.give_endpoints() FROM PUBLIC, anon, authenticated;
$sql$)
  UNION ALL
  SELECT 'trigger.' || t.name, 'trigger ' || t.name, 'SHARE ROW EXCLUSIVE', ARRAY[t.tbl], false,
         EXISTS (SELECT FROM pg_trigger
                 WHERE tgrelid = to_regclass(t.tbl) AND tgenabled IN ('O', 'A') AND tgname = t.name
                   AND pg_get_triggerdef(oid) = t.definition),
         NULL, replace(t.definition, 'CREATE TRIGGER', 'CREATE OR REPLACE TRIGGER'), NULL, NULL
  FROM pg_temp.endpoint_triggers() AS t
  UNION ALL
  -- Creates endpoints for existing webhook_urls, and removes endpoints with blank URLs.
  SELECT 'endpoints.primary', 'endpoints of accounts with a webhook_url', NULL, '{}', false,
         pg_temp.has_fingerprint('endpoints.primary', statements, ''), NULL, statements, '', NULL
  FROM (VALUES ($sql$
  INSERT INTO public.webhook_endpoints (social_account_id, url)
  SELECT id, webhook_url FROM public.social_accounts WHERE webhook_url ~ '[^[:space:]]'
  ON CONFLICT (social_account_id, place) DO NOTHING;
  DELETE FROM public.webhook_endpoints WHERE social_account_id IS NOT NULL AND place = 0 AND url !~ '[^[:space:]]'
  $sql$)) AS filled (statements);
$steps$;

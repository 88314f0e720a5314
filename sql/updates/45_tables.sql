-- ---------------------------------------------------------------------------------------------------------------
-- Tables of events

-- Definitions, comments and privileges of functions and views as text, without their owner, to detect changes. Null when
-- one is missing. Leaves out privileges of other roles, such as the gateway's.
CREATE OR REPLACE FUNCTION pg_temp.made_of(functions text[], views text[]) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(concat_ws('|', definition, comment, items), E'\n' ORDER BY definition)
  FROM (SELECT pg_get_functiondef(p.oid), p.proacl, p.proowner, obj_description(p.oid, 'pg_proc')
        FROM unnest(functions) AS f JOIN pg_proc AS p ON p.oid = pg_temp.routine(f)
        UNION ALL
        SELECT concat_ws('|', c.oid::regclass, pg_get_viewdef(c.oid), c.reloptions), c.relacl, c.relowner,
               obj_description(c.oid, 'pg_class')
        FROM unnest(views) AS v JOIN pg_class AS c ON c.oid = pg_temp.relation(v)) AS made (definition, acl, owner, comment)
  LEFT JOIN LATERAL (
    SELECT string_agg(concat_ws('=', nullif(grantee, owner), privilege_type), ','
                      ORDER BY nullif(grantee, owner) NULLS FIRST, privilege_type)
    FROM aclexplode(acl)
    WHERE grantee IN (0, owner) OR grantee IN (SELECT oid FROM pg_roles
                                               WHERE rolname IN ('anon', 'authenticated', 'service_role')))
    AS granted (items) ON true
  HAVING count(*) = cardinality(functions) + cardinality(views);
$$;

-- A step that creates functions and views; done while they are unchanged.
CREATE OR REPLACE FUNCTION pg_temp.definition_step(id text, title text, functions text[], views text[], statements text)
RETURNS pg_temp.step LANGUAGE sql AS $$
  SELECT ROW(id, title, NULL, '{}'::text[], false, made IS NOT NULL AND pg_temp.has_fingerprint(id, statements, made),
             NULL, statements, coalesce(made, ''), NULL)::pg_temp.step
  FROM pg_temp.made_of(functions, views) AS made;
$$;

CREATE OR REPLACE FUNCTION pg_temp.table_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $steps$
  -- Ids are UUIDs of version 8: 48 bits of Unix milliseconds, then bits of a digest (in the gateway, so that a repeated
  -- event has the same id) or random bits (here). They sort by time: id is both primary key and partition key.
  SELECT * FROM pg_temp.definition_step('function.ids', 'functions for ids of webhook_logs',
    '{socialsync.new_log_id(timestamp with time zone), socialsync.first_log_id(timestamp with time zone)}', '{}', $sql$
CREATE OR REPLACE FUNCTION socialsync.new_log_id(at timestamptz DEFAULT clock_timestamp()) RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
  SELECT encode(set_byte(bits, 6, (get_byte(bits, 6) & 15) | 128), 'hex')::uuid
  FROM (SELECT overlay(uuid_send(gen_random_uuid())
                       PLACING substring(int8send(floor(extract(epoch FROM at) * 1000)::bigint) FROM 3)
                       FROM 1 FOR 6)) AS random (bits);
$$;
COMMENT ON FUNCTION socialsync.new_log_id(timestamptz) IS
  'SocialSync Webhooks: a new id for webhook_logs, ordered by time';

-- For partition bounds, and for queries that should scan few partitions:
-- WHERE id >= socialsync.first_log_id(now() - interval '1 day').
CREATE OR REPLACE FUNCTION socialsync.first_log_id(at timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT rpad(lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0'), 32, '0')::uuid;
$$;
COMMENT ON FUNCTION socialsync.first_log_id(timestamptz) IS
  'SocialSync Webhooks: the smallest id of webhook_logs for this time';
REVOKE ALL ON FUNCTION socialsync.new_log_id(timestamptz), socialsync.first_log_id(timestamptz)
  FROM PUBLIC, anon, authenticated;
GRANT EXECUTE ON FUNCTION socialsync.new_log_id(timestamptz), socialsync.first_log_id(timestamptz) TO service_role;
$sql$)
  UNION ALL
  -- Row-level security is enabled in the transaction that creates the table. Partitions have no policies: their rows are
  -- visible only through webhook_logs.
  SELECT 'table.webhook_logs', 'table webhook_logs', 'SHARE ROW EXCLUSIVE', '{public.users, public.social_accounts}',
         false, to_regclass('public.webhook_logs') IS NOT NULL, NULL, $sql$
  CREATE TABLE public.webhook_logs (
    id                  uuid PRIMARY KEY DEFAULT socialsync.new_log_id(now()),
    social_account_id   uuid REFERENCES public.social_accounts (id) ON DELETE CASCADE,
    platform            public.social_platform NOT NULL,
    webhook_type        varchar(50) NOT NULL,
    payload             jsonb NOT NULL,
    status              varchar(50) DEFAULT 'received'
                        CONSTRAINT webhook_logs_status_known
                        CHECK (status::text = ANY (ARRAY['received', 'processed', 'error', 'ignored'])),
    processing_time_ms  integer,
    error_message       text,
    external_message_id varchar(255),
    customer_identifier varchar(255),
    user_id             uuid REFERENCES public.users (id) ON DELETE CASCADE,
    created_at          timestamptz DEFAULT now(),
    exact_payload       bytea
  ) PARTITION BY RANGE (id);
  COMMENT ON TABLE public.webhook_logs IS
    'SocialSync Webhooks: one row for each event; weekly partitions by the time in id (socialsync.maintain_partitions)';
  COMMENT ON COLUMN public.webhook_logs.exact_payload IS
    'the event''s original bytes; only where jsonb cannot hold them and payload was repaired';
  CREATE INDEX idx_webhook_logs_account ON public.webhook_logs (social_account_id, created_at DESC);
  CREATE INDEX idx_webhook_logs_user ON public.webhook_logs (user_id, created_at DESC);
  CREATE INDEX idx_webhook_logs_created_at ON public.webhook_logs (created_at DESC);
  CREATE INDEX idx_webhook_logs_external_message_id ON public.webhook_logs USING hash (external_message_id);
  ALTER TABLE public.webhook_logs ENABLE ROW LEVEL SECURITY;
  REVOKE ALL ON public.webhook_logs FROM PUBLIC, anon, authenticated;
  CREATE TABLE socialsync.webhook_logs_default PARTITION OF public.webhook_logs DEFAULT;
  COMMENT ON TABLE socialsync.webhook_logs_default IS
    'SocialSync Webhooks: events whose time no weekly partition covers';
  ALTER TABLE socialsync.webhook_logs_default ENABLE ROW LEVEL SECURITY;
  REVOKE ALL ON socialsync.webhook_logs_default FROM PUBLIC, anon, authenticated;
  $sql$, NULL, NULL
  UNION ALL
  SELECT 'table.webhook_quarantine', 'table webhook_quarantine', NULL, '{}', false,
         to_regclass('public.webhook_quarantine') IS NOT NULL, NULL, $sql$
  CREATE TABLE public.webhook_quarantine (
    id           uuid PRIMARY KEY DEFAULT socialsync.new_log_id(now()),
    reason       text NOT NULL
                 CONSTRAINT webhook_quarantine_reason_known
                 CHECK (reason IN ('not_json', 'not_a_webhook', 'too_deep', 'too_many_events', 'unreadable',
                                   'unknown_account', 'inactive_account', 'ambiguous_account', 'secret_mismatch',
                                   'rejected_by_database')),
    platform     text,
    routing_key  text,
    webhook_type text,
    detail       text,
    signed_by    text,
    body         bytea NOT NULL,
    event_time   timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now()
  );
  COMMENT ON TABLE public.webhook_quarantine IS
    'SocialSync Webhooks: signed webhooks that could not be parsed or routed; show a body with socialsync.readable(body)';
  COMMENT ON COLUMN public.webhook_quarantine.signed_by IS
    'fingerprint of the secret that signed it: it may be routed only to an account with that secret';
  CREATE INDEX idx_webhook_quarantine_created_at ON public.webhook_quarantine (created_at);
  CREATE INDEX idx_webhook_quarantine_routing_key ON public.webhook_quarantine (routing_key)
    WHERE routing_key IS NOT NULL;
  ALTER TABLE public.webhook_quarantine ENABLE ROW LEVEL SECURITY;
  REVOKE ALL ON public.webhook_quarantine FROM PUBLIC, anon, authenticated;
  $sql$, NULL, NULL
  UNION ALL
  -- A repeated event without a time of its own has another id: the gateway looks up its identity here first.
  SELECT 'table.webhook_event_keys', 'table webhook_event_keys', NULL, '{}', false,
         pg_temp.relation('socialsync.webhook_event_keys') IS NOT NULL, NULL, $sql$
  CREATE TABLE socialsync.webhook_event_keys (
    key     uuid PRIMARY KEY,
    log_id  uuid NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now()
  );
  COMMENT ON TABLE socialsync.webhook_event_keys IS
    'SocialSync Webhooks: identities of events without a time of their own, kept for eight days';
  REVOKE ALL ON socialsync.webhook_event_keys FROM PUBLIC, anon, authenticated;
  $sql$, NULL, NULL;
$steps$;

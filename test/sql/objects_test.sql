-- The objects of the update: columns, tables, indexes, constraints, triggers.
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT no_plan();

-- Type and default of each column, as the contract names them.
SELECT has_column('public', t.tbl, t.name, format('%s.%s is there', t.tbl, t.name))
    || E'\n' || col_type_is('public', t.tbl, t.name, t.type, format('%s.%s is %s', t.tbl, t.name, t.type))
    || E'\n' || CASE WHEN t.default_value IS NULL
                     THEN col_hasnt_default('public', t.tbl, t.name, format('%s.%s has no default', t.tbl, t.name))
                     ELSE col_default_is('public', t.tbl, t.name, t.default_value,
                                         format('default of %s.%s', t.tbl, t.name)) END
FROM (VALUES
  ('social_accounts', 'phone_number_id', 'character varying(100)', NULL),
  ('social_accounts', 'page_id', 'character varying(100)', NULL),
  ('social_accounts', 'app_secret', 'character varying(1000)', NULL),
  ('social_accounts', 'verify_token', 'character varying(1000)', NULL),
  ('social_accounts', 'webhook_url', 'character varying(500)', NULL),
  ('social_accounts', 'business_name', 'character varying(255)', NULL),
  ('social_accounts', 'display_phone_number', 'character varying(20)', NULL),
  ('social_accounts', 'webhook_events', 'text[]', NULL),
  ('social_accounts', 'webhook_status', 'character varying(50)', 'inactive'),
  ('social_accounts', 'last_webhook_at', 'timestamp with time zone', NULL),
  ('social_accounts', 'webhook_metadata', 'jsonb', '{}'),
  ('webhook_logs', 'id', 'uuid', 'socialsync.new_log_id(now())'),
  ('webhook_logs', 'social_account_id', 'uuid', NULL),
  ('webhook_logs', 'platform', 'social_platform', NULL),
  ('webhook_logs', 'webhook_type', 'character varying(50)', NULL),
  ('webhook_logs', 'payload', 'jsonb', NULL),
  ('webhook_logs', 'exact_payload', 'bytea', NULL),
  ('webhook_logs', 'status', 'character varying(50)', 'received'),
  ('webhook_logs', 'processing_time_ms', 'integer', NULL),
  ('webhook_logs', 'error_message', 'text', NULL),
  ('webhook_logs', 'external_message_id', 'character varying(255)', NULL),
  ('webhook_logs', 'customer_identifier', 'character varying(255)', NULL),
  ('webhook_logs', 'user_id', 'uuid', NULL),
  ('webhook_logs', 'created_at', 'timestamp with time zone', 'now()'),
  ('webhook_quarantine', 'body', 'bytea', NULL),
  ('webhook_quarantine', 'created_at', 'timestamp with time zone', 'now()'),
  ('webhook_endpoints', 'social_account_id', 'uuid', NULL),
  ('webhook_endpoints', 'place', 'smallint', '0'),
  ('webhook_endpoints', 'url', 'character varying(500)', NULL),
  ('webhook_endpoints', 'format', 'text', 'meta'),
  ('webhook_endpoints', 'app_secret', 'character varying(1000)', 'socialsync.new_app_secret()'),
  ('webhook_endpoints', 'signing_secret', 'character varying(1000)', 'socialsync.new_signing_secret()'),
  ('webhook_endpoints', 'headers', 'jsonb', '{}'),
  ('webhook_endpoints', 'webhook_events', 'text[]', NULL),
  ('webhook_endpoints', 'is_enabled', 'boolean', 'true'),
  ('webhook_endpoints', 'concurrent_max', 'integer', '16'),
  ('webhook_endpoints', 'failing_since', 'timestamp with time zone', NULL),
  ('webhook_deliveries', 'event_id', 'uuid', NULL),
  ('webhook_deliveries', 'endpoint_id', 'uuid', NULL),
  ('webhook_deliveries', 'due_at', 'timestamp with time zone', 'now()'),
  ('webhook_deliveries', 'attempts', 'smallint', '0'),
  ('webhook_delivery_attempts', 'attempted_at', 'timestamp with time zone', 'now()'),
  ('webhook_delivery_attempts', 'error', 'text', NULL),
  ('webhook_delivery_attempts', 'response_head', 'bytea', NULL)
) AS t (tbl, name, type, default_value);

SELECT col_not_null('public', 'webhook_logs', c, format('webhook_logs.%s is not null', c))
FROM unnest(ARRAY['id', 'platform', 'webhook_type', 'payload']) AS c;

SELECT enum_has_labels('social_platform', labels)
FROM (SELECT array_agg(enumlabel ORDER BY enumsortorder) FROM pg_enum
      WHERE enumtypid = 'social_platform'::regtype) AS e (labels)
WHERE labels @> ARRAY['whatsapp', 'whatsapp_business', 'instagram', 'facebook']::name[];

-- Keys
SELECT col_is_pk('public', 'webhook_logs', 'id', 'webhook_logs: id alone is the key');
SELECT fk_ok('public', 'webhook_logs', 'social_account_id', 'public', 'social_accounts', 'id');
SELECT fk_ok('public', 'webhook_logs', 'user_id', 'public', 'users', 'id');
SELECT is((SELECT count(*) FROM pg_constraint WHERE conrelid = 'webhook_logs'::regclass AND contype = 'f'
           AND confdeltype = 'c'), 2::bigint, 'both foreign keys cascade');

-- Unique where not null
SELECT index_is_unique('public', 'social_accounts', i, i || ' is unique')
FROM unnest(ARRAY['idx_social_accounts_phone_number_id', 'idx_social_accounts_page_id']) AS i;
SELECT is((SELECT bool_and(indisvalid AND indisready AND indpred IS NOT NULL) FROM pg_index
           WHERE indexrelid IN ('idx_social_accounts_phone_number_id'::regclass,
                                'idx_social_accounts_page_id'::regclass)),
          true, 'the unique indexes are valid and partial');
SELECT has_index('public', 'webhook_logs', i, c, i)
FROM (VALUES ('idx_webhook_logs_account', ARRAY['social_account_id', 'created_at']),
             ('idx_webhook_logs_user', ARRAY['user_id', 'created_at']),
             ('idx_webhook_logs_created_at', ARRAY['created_at']),
             ('idx_webhook_logs_external_message_id', ARRAY['external_message_id'])) AS x (i, c);

-- CHECKs of webhook_logs and of the quarantine
SELECT throws_ok($$INSERT INTO webhook_logs (platform, webhook_type, payload, status)
                   VALUES ('instagram', 'messages', '{}', 'lost')$$, '23514', NULL, 'an unknown status is refused');
SELECT lives_ok(format($$INSERT INTO webhook_logs (platform, webhook_type, payload, status)
                         VALUES ('instagram', 'messages', '{}', %L)$$, s), s || ' is a status')
FROM unnest(ARRAY['received', 'processed', 'error', 'ignored']) AS s;
SELECT throws_ok($$INSERT INTO webhook_quarantine (reason, body) VALUES ('boredom', '')$$, '23514', NULL,
                 'an unknown reason is refused');
SELECT lives_ok(format($$INSERT INTO webhook_quarantine (reason, body) VALUES (%L, '\x00ff')$$, r), r || ' is a reason')
FROM unnest(ARRAY['not_json', 'not_a_webhook', 'too_deep', 'too_many_events', 'unreadable', 'unknown_account',
                  'inactive_account', 'ambiguous_account', 'secret_mismatch', 'rejected_by_database']) AS r;

-- The trigger fires for what routing depends on, and for nothing else.
SELECT is((SELECT array_agg(a.attname ORDER BY a.attname)
           FROM pg_trigger AS t, unnest(t.tgattr) AS n JOIN pg_attribute AS a ON a.attnum = n
           WHERE t.tgname = 'socialsync_accounts_changed' AND a.attrelid = t.tgrelid
             AND t.tgrelid = 'social_accounts'::regclass),
          ARRAY['account_id', 'app_secret', 'display_phone_number', 'is_active', 'page_id', 'phone_number_id',
                'platform', 'user_id', 'verify_token', 'webhook_events', 'webhook_metadata']::name[],
          'columns whose update tells the gateways');

-- Endpoints: place 0 follows the account's webhook_url.
SELECT fk_ok('public', 'webhook_endpoints', 'social_account_id', 'public', 'social_accounts', 'id');
SELECT col_is_pk('public', 'webhook_deliveries', ARRAY['event_id', 'endpoint_id'], 'one delivery of an event to an endpoint');
INSERT INTO users (id, email) VALUES ('10000000-0000-4000-8000-0000000000e0', 'endpoints@example.org');
INSERT INTO social_accounts (id, platform, account_id, username, user_id, webhook_url)
SELECT format('20000000-0000-4000-8000-0000000000e%s', n)::uuid, platform::social_platform, 'endpoints ' || n, 'e',
       '10000000-0000-4000-8000-0000000000e0', url
FROM (VALUES (0, 'website', NULL), (1, 'tiktok', 'https://one.example/hook')) AS a (n, platform, url);
CREATE FUNCTION pg_temp.account(n integer) RETURNS uuid LANGUAGE sql AS $$
  SELECT format('20000000-0000-4000-8000-0000000000e%s', n)::uuid
$$;
CREATE FUNCTION pg_temp.endpoint(n integer) RETURNS webhook_endpoints LANGUAGE sql AS $$
  SELECT * FROM webhook_endpoints WHERE social_account_id = pg_temp.account(n) AND place = 0
$$;
SELECT is((pg_temp.endpoint(0)).id, NULL, 'an account without a URL has no endpoint');
SELECT is((pg_temp.endpoint(1)).url, 'https://one.example/hook', 'one that is made with a URL has one');
UPDATE social_accounts SET webhook_url = 'https://none.example/hook' WHERE id = pg_temp.account(0);
SELECT is((pg_temp.endpoint(0)).url, 'https://none.example/hook', 'a URL that is set makes one');
CREATE TEMP TABLE before AS SELECT * FROM webhook_endpoints;
SELECT matches((pg_temp.endpoint(1)).signing_secret, '^whsec_[A-Za-z0-9+/]{40}$', 'its signing secret is of 30 bytes');
SELECT matches((pg_temp.endpoint(1)).app_secret, '^[0-9a-f]{32}$', 'its app secret looks like Meta''s');
SELECT is((SELECT count(DISTINCT app_secret) + count(DISTINCT signing_secret) FROM webhook_endpoints
           WHERE social_account_id IN (pg_temp.account(0), pg_temp.account(1))), 4::bigint, 'secrets differ');
UPDATE webhook_endpoints SET is_enabled = false, disabled_because = 'tired', failing_since = now(), warned_percent = 70
WHERE id = (pg_temp.endpoint(1)).id;
UPDATE social_accounts SET webhook_url = webhook_url, display_name = 'new' WHERE id = pg_temp.account(1);
SELECT is((pg_temp.endpoint(1)).is_enabled, false, 'the same URL again changes nothing');
UPDATE social_accounts SET webhook_url = 'https://two.example/hook' WHERE id = pg_temp.account(1);
SELECT results_eq($$SELECT e.url::text, e.is_enabled, e.disabled_because, e.failing_since, e.warned_percent::int, e.id = b.id,
                           e.signing_secret = b.signing_secret
                    FROM pg_temp.endpoint(1) AS e, before AS b WHERE b.social_account_id = pg_temp.account(1)$$,
  $$VALUES ('https://two.example/hook', true, NULL, NULL::timestamptz, 0, true, true)$$,
  'another URL is tried anew, under the same secrets');
SELECT lives_ok(format('INSERT INTO webhook_endpoints (social_account_id, place, url) VALUES (%L, %s, ''https://x.example/'')',
                       pg_temp.account(1), place), 'place ' || place)
FROM generate_series(1, 9) AS place;
SELECT throws_ok(format('INSERT INTO webhook_endpoints (social_account_id, place) VALUES (%L, %s)', pg_temp.account(0), place),
                 '23514', NULL, 'no place ' || place)
FROM unnest(ARRAY[-1, 10]) AS place;
SELECT throws_ok(format('INSERT INTO webhook_endpoints (social_account_id, place) VALUES (%L, 9)', pg_temp.account(1)),
                 '23505', NULL, 'a place is taken once');
SELECT throws_ok('INSERT INTO webhook_endpoints ' || columns, '23514', NULL, 'refused: ' || columns)
FROM unnest(ARRAY['(format) VALUES (''xml'')', '(concurrent_max) VALUES (0)', '(concurrent_max) VALUES (257)',
                  '(per_second_max) VALUES (0)', '(headers) VALUES (''[]'')']) AS columns;

-- A deleted endpoint takes its deliveries along, and no others.
INSERT INTO webhook_deliveries (event_id, endpoint_id)
SELECT '00000000-0000-8000-8000-0000000000e0', id FROM webhook_endpoints
WHERE social_account_id IN (pg_temp.account(0), pg_temp.account(1));
SELECT is((SELECT count(*) FROM webhook_deliveries), 11::bigint, 'a delivery for each endpoint');
UPDATE social_accounts SET webhook_url = NULL WHERE id = pg_temp.account(0);
SELECT is((pg_temp.endpoint(0)).id, NULL, 'a URL that is cleared takes the endpoint away');
SELECT is((SELECT count(*) FROM webhook_deliveries), 10::bigint, 'and its deliveries');
UPDATE social_accounts SET webhook_url = '' WHERE id = pg_temp.account(0);
SELECT is((pg_temp.endpoint(0)).id, NULL, 'an empty URL is none');
UPDATE social_accounts SET webhook_url = 'https://none.example/hook' WHERE id = pg_temp.account(0);
UPDATE social_accounts SET webhook_url = E' \t\n' WHERE id = pg_temp.account(0);
SELECT is((pg_temp.endpoint(0)).id, NULL, 'one of blanks neither');
INSERT INTO social_accounts (id, platform, account_id, username, user_id, webhook_url)
VALUES (pg_temp.account(2), 'youtube', 'endpoints 2', 'e', '10000000-0000-4000-8000-0000000000e0', '');
SELECT is((pg_temp.endpoint(2)).id, NULL, 'nor one that an account is made with');
SELECT is((SELECT webhook_url::text FROM social_accounts WHERE id = pg_temp.account(2)), '',
          'the account keeps what was written');
DELETE FROM webhook_endpoints WHERE social_account_id = pg_temp.account(1) AND place = 9;
SELECT is((SELECT count(*) FROM webhook_deliveries), 9::bigint, 'an endpoint that is removed takes its deliveries');
DELETE FROM social_accounts WHERE id = pg_temp.account(1);
SELECT is((SELECT count(*) FROM webhook_endpoints WHERE social_account_id = pg_temp.account(1)), 0::bigint,
          'an account that is removed takes its endpoints');
SELECT is((SELECT count(*) FROM webhook_deliveries), 0::bigint, 'and theirs');

-- The trigger fires for what workers send by, and not for what they write themselves.
SELECT is((SELECT array_agg(a.attname ORDER BY a.attname)
           FROM pg_trigger AS t, unnest(t.tgattr) AS n JOIN pg_attribute AS a ON a.attnum = n
           WHERE t.tgname = 'socialsync_endpoints_changed' AND a.attrelid = t.tgrelid
             AND t.tgrelid = 'webhook_endpoints'::regclass),
          ARRAY['app_secret', 'concurrent_max', 'format', 'headers', 'is_enabled', 'is_ordered', 'per_second_max',
                'previous_signing_secret', 'previous_signing_secret_until', 'signing_secret', 'social_account_id', 'url',
                'webhook_events']::name[], 'columns whose update tells the workers');

SELECT is((SELECT count(*) FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
           WHERE p.prosecdef AND NOT coalesce(p.proconfig::text LIKE '%search_path=%', false)
             AND (n.nspname = 'socialsync' OR obj_description(p.oid, 'pg_proc') LIKE 'SocialSync Webhooks: %')),
          0::bigint, 'every SECURITY DEFINER function pins its search_path');

SELECT * FROM finish();
ROLLBACK;

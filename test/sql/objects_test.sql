-- What the update makes: columns, tables, indexes, constraints, triggers.
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
  ('webhook_quarantine', 'created_at', 'timestamp with time zone', 'now()')
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

SELECT is((SELECT count(*) FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
           WHERE p.prosecdef AND NOT coalesce(p.proconfig::text LIKE '%search_path=%', false)
             AND (n.nspname = 'socialsync' OR obj_description(p.oid, 'pg_proc') LIKE 'SocialSync Webhooks: %')),
          0::bigint, 'every SECURITY DEFINER function pins its search_path');

SELECT * FROM finish();
ROLLBACK;

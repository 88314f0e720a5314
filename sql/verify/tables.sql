-- webhook_logs and its companions: the kind of table, and every column that programs use.
SELECT coalesce(c.kind = n.kind, false) AS ok,
       n.name || CASE WHEN c.kind IS NULL THEN ' is missing' ELSE format(' is %s, wanted %s', c.kind, n.kind) END AS item,
       CASE WHEN c.kind <> n.kind
            THEN format('rename it (ALTER TABLE %s RENAME TO …), then run: socialsync migrate apply', n.name) END AS todo
FROM (VALUES ('public.webhook_logs', 'partitioned by RANGE (id)'), ('public.webhook_quarantine', 'a plain table'),
             ('socialsync.webhook_event_keys', 'a plain table')) AS n (name, kind)
LEFT JOIN LATERAL (
  SELECT CASE relkind WHEN 'p' THEN 'partitioned by ' || pg_get_partkeydef(oid) WHEN 'r' THEN 'a plain table'
         ELSE 'no table' END AS kind
  FROM pg_class WHERE format('%s.%s', relnamespace::regnamespace, relname) = n.name) AS c ON true
UNION ALL
SELECT coalesce(format_type(a.atttypid, a.atttypmod) = n.type, false),
       format('%s.%s %s, wanted %s', n.tbl, n.name,
              coalesce('is ' || format_type(a.atttypid, a.atttypmod), 'is missing'), n.type), NULL
FROM (VALUES
  ('public.webhook_logs', 'id', 'uuid'),
  ('public.webhook_logs', 'social_account_id', 'uuid'),
  ('public.webhook_logs', 'platform', 'public.social_platform'),
  ('public.webhook_logs', 'webhook_type', 'character varying(50)'),
  ('public.webhook_logs', 'payload', 'jsonb'),
  ('public.webhook_logs', 'exact_payload', 'bytea'),
  ('public.webhook_logs', 'status', 'character varying(50)'),
  ('public.webhook_logs', 'processing_time_ms', 'integer'),
  ('public.webhook_logs', 'error_message', 'text'),
  ('public.webhook_logs', 'external_message_id', 'character varying(255)'),
  ('public.webhook_logs', 'customer_identifier', 'character varying(255)'),
  ('public.webhook_logs', 'user_id', 'uuid'),
  ('public.webhook_logs', 'created_at', 'timestamp with time zone'),
  ('public.webhook_quarantine', 'id', 'uuid'),
  ('public.webhook_quarantine', 'reason', 'text'),
  ('public.webhook_quarantine', 'platform', 'text'),
  ('public.webhook_quarantine', 'routing_key', 'text'),
  ('public.webhook_quarantine', 'webhook_type', 'text'),
  ('public.webhook_quarantine', 'detail', 'text'),
  ('public.webhook_quarantine', 'signed_by', 'text'),
  ('public.webhook_quarantine', 'body', 'bytea'),
  ('public.webhook_quarantine', 'event_time', 'timestamp with time zone'),
  ('public.webhook_quarantine', 'created_at', 'timestamp with time zone')) AS n (tbl, name, type)
LEFT JOIN pg_attribute AS a ON a.attrelid = to_regclass(n.tbl) AND a.attname = n.name AND NOT a.attisdropped

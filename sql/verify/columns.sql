-- The new columns of social_accounts have their exact type and default.
SELECT coalesce((a.type = n.type
                 -- Columns of secrets may be narrower: a short secret fits even when it is encrypted.
                 OR n.name IN ('app_secret', 'verify_token') AND a.bare_type = 'character varying'
                    AND (a.atttypmod = -1 OR a.atttypmod >= 255 + 4))
                AND a.default_value IS NOT DISTINCT FROM n.default_value
                AND NOT a.attnotnull AND a.attgenerated = '', false) AS ok,
       n.name || coalesce(' is ' || a.type || coalesce(' default ' || a.default_value, '')
                          || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END, ' is missing')
              || ', wanted ' || n.type || coalesce(' default ' || n.default_value, '') AS item,
       CASE WHEN a.type <> n.type THEN
         format('rename the existing column (ALTER TABLE public.social_accounts RENAME %I TO %I), then run: '
                'socialsync migrate apply', n.name, 'old_' || n.name) END AS todo
FROM (VALUES
  ('phone_number_id',      'character varying(100)',   NULL),
  ('page_id',              'character varying(100)',   NULL),
  ('app_secret',           'character varying(1000)',  NULL),
  ('verify_token',         'character varying(1000)',  NULL),
  ('webhook_url',          'character varying(500)',   NULL),
  ('business_name',        'character varying(255)',   NULL),
  ('display_phone_number', 'character varying(20)',    NULL),
  ('webhook_events',       'text[]',                   NULL),
  ('webhook_status',       'character varying(50)',    '''inactive''::character varying'),
  ('last_webhook_at',      'timestamp with time zone', NULL),
  ('webhook_metadata',     'jsonb',                    '''{}''::jsonb')) AS n (name, type, default_value)
LEFT JOIN LATERAL (
  SELECT c.*, format_type(atttypid, atttypmod) AS type, format_type(atttypid, NULL) AS bare_type,
         pg_get_expr(d.adbin, d.adrelid) AS default_value
  FROM pg_attribute AS c LEFT JOIN pg_attrdef AS d ON d.adrelid = c.attrelid AND d.adnum = c.attnum
  WHERE c.attrelid = to_regclass('public.social_accounts') AND c.attname = n.name AND NOT c.attisdropped) AS a ON true

-- The CHECKs exist and are valid; else counts the rows that violate one.
SELECT coalesce(c.convalidated AND c.definition = k.definition, false) AS ok,
       k.name || CASE WHEN c.oid IS NULL THEN ' is missing'
                      WHEN replace(c.definition, ' NOT VALID', '') <> k.definition THEN ' is ' || c.definition
                      ELSE ' is not validated' END
              || coalesce(CASE WHEN c.convalidated THEN NULL
                               WHEN row_security_active('public.social_accounts')
                               THEN ', an unknown number of rows violate it (row-level security hides them)'
                               ELSE format(', %s row(s) violate it', v.violations) END, '') AS item,
       CASE WHEN v.violations > 0 THEN
         format('correct the rows that this lists, then run: socialsync migrate apply: '
                'SELECT id, user_id, platform, account_id FROM public.social_accounts WHERE %s', k.violated_by)
       WHEN replace(c.definition, ' NOT VALID', '') <> k.definition THEN
         format('ALTER TABLE public.%I DROP CONSTRAINT %I, then run: socialsync migrate apply', k.tbl, k.name)
       END AS todo
FROM (VALUES
  ('social_accounts', 'social_accounts_whatsapp_has_phone_number_id',
   'CHECK ((((platform)::text <> ALL (ARRAY[''whatsapp''::text, ''whatsapp_business''::text])) '
   'OR (phone_number_id IS NOT NULL)))',
   'platform::text IN (''whatsapp'', ''whatsapp_business'') AND phone_number_id IS NULL'),
  ('social_accounts', 'social_accounts_instagram_has_page_id',
   'CHECK ((((platform)::text <> ''instagram''::text) OR (page_id IS NOT NULL)))',
   'platform::text = ''instagram'' AND page_id IS NULL'),
  ('social_accounts', 'social_accounts_webhook_status_known',
   'CHECK (((webhook_status)::text = ANY (ARRAY[''inactive''::text, ''active''::text, ''error''::text])))',
   'webhook_status NOT IN (''inactive'', ''active'', ''error'')'),
  ('webhook_logs', 'webhook_logs_status_known',
   'CHECK (((status)::text = ANY (ARRAY[''received''::text, ''processed''::text, ''error''::text, ''ignored''::text])))',
   NULL),
  ('webhook_quarantine', 'webhook_quarantine_reason_known',
   'CHECK ((reason = ANY (ARRAY[''not_json''::text, ''not_a_webhook''::text, ''too_deep''::text, '
   '''too_many_events''::text, ''unreadable''::text, ''unknown_account''::text, ''inactive_account''::text, '
   '''ambiguous_account''::text, ''secret_mismatch''::text, ''rejected_by_database''::text])))',
   NULL)) AS k (tbl, name, definition, violated_by)
LEFT JOIN LATERAL (
  SELECT oid, convalidated, pg_get_constraintdef(oid) AS definition FROM pg_constraint
  WHERE conrelid = to_regclass('public.' || k.tbl) AND conname = k.name) AS c ON true
LEFT JOIN LATERAL (
  -- Not counted when a valid CHECK guarantees zero.
  SELECT CASE WHEN c.convalidated THEN NULL
    WHEN k.name = 'social_accounts_whatsapp_has_phone_number_id' THEN
      (SELECT count(*) FROM public.social_accounts
       WHERE platform::text IN ('whatsapp', 'whatsapp_business') AND phone_number_id IS NULL)
    WHEN k.name = 'social_accounts_instagram_has_page_id' THEN
      (SELECT count(*) FROM public.social_accounts WHERE platform::text = 'instagram' AND page_id IS NULL)
    WHEN k.name = 'social_accounts_webhook_status_known' THEN
      (SELECT count(*) FROM public.social_accounts WHERE webhook_status NOT IN ('inactive', 'active', 'error'))
    END AS violations) AS v ON true

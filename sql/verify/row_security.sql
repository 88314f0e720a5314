-- Row-level security is enabled, our policies have their exact definitions, and no other policy allows more.
WITH tables (name) AS (VALUES ('public.social_accounts'), ('public.webhook_logs'), ('public.webhook_quarantine'),
                        ('public.webhook_endpoints'), ('public.webhook_deliveries'), ('public.webhook_delivery_attempts')),
wanted (tbl, name, kind, command, grantee, condition) AS (
  SELECT t, p.* FROM unnest(ARRAY['public.social_accounts', 'public.webhook_logs']) AS t,
    (VALUES
      ('webhooks_own_rows', 'PERMISSIVE', 'SELECT', 'authenticated', '(user_id = ( SELECT auth.uid() AS uid))'),
      ('webhooks_only_own_rows', 'RESTRICTIVE', 'ALL', 'authenticated', '(user_id = ( SELECT auth.uid() AS uid))'),
      ('webhooks_not_for_anon', 'RESTRICTIVE', 'ALL', 'anon', 'false'),
      ('webhooks_service', 'PERMISSIVE', 'ALL', 'service_role', 'true')) AS p
  UNION ALL
  VALUES ('public.social_accounts', 'webhooks_no_own_claims', 'RESTRICTIVE', 'INSERT', 'authenticated',
          '((platform)::text <> ALL (ARRAY[''whatsapp''::text, ''whatsapp_business''::text, ''instagram''::text, '
          '''facebook''::text]))'),
         ('public.webhook_quarantine', 'webhooks_service', 'PERMISSIVE', 'ALL', 'service_role', 'true'),
         ('public.webhook_endpoints', 'webhooks_service', 'PERMISSIVE', 'ALL', 'service_role', 'true'),
         ('public.webhook_deliveries', 'webhooks_service', 'PERMISSIVE', 'ALL', 'service_role', 'true'),
         ('public.webhook_delivery_attempts', 'webhooks_service', 'PERMISSIVE', 'ALL', 'service_role', 'true')),
found AS (SELECT *, format('%s.%s', schemaname, tablename) AS tbl FROM pg_policies)
SELECT coalesce(c.relrowsecurity, false) AS ok, format('%s has no row-level security', t.name) AS item,
       format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t.name) AS todo
FROM (SELECT name, to_regclass(name) AS id FROM tables UNION ALL
      SELECT inhrelid::regclass::text, inhrelid FROM pg_inherits WHERE inhparent IN (to_regclass('public.webhook_logs'), to_regclass('public.webhook_delivery_attempts'))) AS t
LEFT JOIN pg_class AS c ON c.oid = t.id
UNION ALL
SELECT f.policyname IS NOT NULL AND (f.permissive, f.cmd, f.roles, f.qual, f.with_check) IS NOT DISTINCT FROM
         (w.kind, w.command, ARRAY[w.grantee]::name[], CASE WHEN w.command <> 'INSERT' THEN w.condition END,
          CASE WHEN w.command = 'INSERT' THEN w.condition END),
       format('policy %s on %s is %s', w.name, w.tbl, CASE WHEN f.policyname IS NULL THEN 'missing' ELSE
              format('%s FOR %s TO %s USING %s WITH CHECK %s', f.permissive, f.cmd, array_to_string(f.roles, ', '),
                     coalesce(f.qual, '-'), coalesce(f.with_check, '-')) END),
       CASE WHEN f.policyname IS NOT NULL
            THEN format('DROP POLICY %I ON %s, then at once: socialsync migrate apply', w.name, w.tbl) END
FROM wanted AS w LEFT JOIN found AS f ON f.tbl = w.tbl AND f.policyname = w.name
UNION ALL
-- On social_accounts our restrictive policies bound an older policy: a note, not a failure.
SELECT f.tbl = 'public.social_accounts',
       CASE WHEN f.tbl = 'public.social_accounts'
            THEN format('note: policy %s alone would show more than a tenant''s own rows; ours bound it',
                        quote_ident(f.policyname))
            ELSE format('policy %s opens %s to %s', quote_ident(f.policyname), f.tbl, array_to_string(f.roles, ', ')) END,
       format('DROP POLICY %I ON %s', f.policyname, f.tbl)
FROM found AS f
WHERE f.tbl IN (SELECT name FROM tables) AND f.permissive = 'PERMISSIVE'
  AND f.roles && ARRAY['public', 'anon', 'authenticated']::name[]
  AND coalesce(f.qual, f.with_check) !~ 'auth\.uid\(\)'
  AND NOT EXISTS (SELECT FROM wanted AS w WHERE w.tbl = f.tbl AND w.name = f.policyname)

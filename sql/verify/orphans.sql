-- Accounts without their user; the foreign keys of webhook_logs.
SELECT count(*) FILTER (WHERE u.id IS NULL) = 0 AS ok,
       format('%s account(s) of users that do not exist', count(*) FILTER (WHERE u.id IS NULL)) AS item,
       'list them: SELECT id, user_id FROM public.social_accounts AS a WHERE NOT EXISTS (SELECT FROM public.users AS u '
       'WHERE u.id = a.user_id)' AS todo
FROM public.social_accounts AS a LEFT JOIN public.users AS u ON u.id = a.user_id
UNION ALL
SELECT coalesce(f.convalidated, false),
       format('webhook_logs.%s has %s foreign key to %s', n.name, CASE WHEN f.convalidated THEN 'a' ELSE 'no valid' END,
              n.target),
       format('ALTER TABLE public.webhook_logs ADD FOREIGN KEY (%I) REFERENCES %s (id) ON DELETE CASCADE', n.name, n.target)
FROM (VALUES ('social_account_id', 'public.social_accounts'), ('user_id', 'public.users')) AS n (name, target)
LEFT JOIN LATERAL (
  SELECT c.convalidated FROM pg_constraint AS c JOIN pg_attribute AS a ON a.attrelid = c.conrelid
  WHERE c.conrelid = to_regclass('public.webhook_logs') AND c.contype = 'f' AND c.confrelid = to_regclass(n.target)
    AND c.conkey = ARRAY[a.attnum] AND a.attname = n.name AND c.confdeltype = 'c'
  LIMIT 1) AS f ON true

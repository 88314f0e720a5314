-- Accounts without a routing key, or with an empty one.
SELECT n.accounts = 0 AS ok, format('%s %s account(s) %s', n.accounts, n.kind, n.lack) AS item,
       format('socialsync migrate backfill --csv FILE (columns account_id,%s); list them: '
              'SELECT id, user_id, account_id, %1$s FROM public.social_accounts WHERE %s', n.key, n.condition) AS todo
FROM (
  SELECT 'WhatsApp' AS kind, 'phone_number_id' AS key, 'without a phone_number_id' AS lack,
         count(*) FILTER (WHERE coalesce(phone_number_id, '') = '') AS accounts,
         'platform::text LIKE ''whatsapp%'' AND coalesce(phone_number_id, '''') = ''''' AS condition
  FROM public.social_accounts WHERE platform::text IN ('whatsapp', 'whatsapp_business')
  UNION ALL
  SELECT 'Instagram', 'page_id', 'without a page_id', count(*) FILTER (WHERE coalesce(page_id, '') = ''),
         'platform::text = ''instagram'' AND coalesce(page_id, '''') = '''''
  FROM public.social_accounts WHERE platform::text = 'instagram'
  UNION ALL
  SELECT 'WhatsApp', 'phone_number_id', 'whose phone_number_id has blanks or a + in it',
         count(*) FILTER (WHERE phone_number_id ~ '[\s+]'), 'phone_number_id ~ ''[\s+]'''
  FROM public.social_accounts
  UNION ALL
  SELECT 'Instagram or Messenger', 'page_id', 'whose page_id has blanks or a + in it',
         count(*) FILTER (WHERE page_id ~ '[\s+]'), 'page_id ~ ''[\s+]'''
  FROM public.social_accounts) AS n

-- No routing key has several accounts. Skips the scan of a column with a valid unique index.
WITH vouched AS (
  SELECT coalesce(bool_or(indexrelid = to_regclass('public.idx_social_accounts_phone_number_id')), false) AS phone,
         coalesce(bool_or(indexrelid = to_regclass('public.idx_social_accounts_page_id')), false) AS page
  FROM pg_index
  WHERE indrelid = to_regclass('public.social_accounts') AND indisvalid AND indisunique AND indnkeyatts = 1)
SELECT n.keys = 0 AS ok, format('%s %s(s) that several accounts claim', n.keys, n.name) AS item,
       format('keep each for one account; list them: SELECT %I, array_agg(id) FROM public.social_accounts '
              'WHERE %1$I IS NOT NULL GROUP BY 1 HAVING count(*) > 1', n.name) AS todo
FROM (
  SELECT 'phone_number_id' AS name, CASE WHEN phone THEN 0 ELSE
    (SELECT count(*) FROM (SELECT FROM public.social_accounts WHERE phone_number_id IS NOT NULL
                           GROUP BY phone_number_id HAVING count(*) > 1) AS d) END AS keys FROM vouched
  UNION ALL
  SELECT 'page_id', CASE WHEN page THEN 0 ELSE
    (SELECT count(*) FROM (SELECT FROM public.social_accounts WHERE page_id IS NOT NULL
                           GROUP BY page_id HAVING count(*) > 1) AS d) END FROM vouched) AS n

-- App secrets and verify tokens, of accounts or of the environment. $1 and $2 are the products (text[]) with an app secret
-- and with a verify token in the environment.
WITH accounts AS (
  SELECT CASE a.platform::text WHEN 'instagram' THEN 'instagram' WHEN 'facebook' THEN 'messenger' ELSE 'whatsapp' END
           AS product,
         count(*) FILTER (WHERE coalesce(a.app_secret, '') = '') AS without_secret,
         count(*) FILTER (WHERE a.verify_token <> '') AS with_token
  FROM public.social_accounts AS a
  WHERE a.is_active AND a.platform::text IN ('whatsapp', 'whatsapp_business', 'instagram', 'facebook')
  GROUP BY 1)
SELECT without_secret = 0 OR product = ANY ($1::text[]) AS ok,
       format('%s active %s account(s) have no app_secret, and META_APP_SECRET is not set', without_secret, product)
         AS item,
       'set META_APP_SECRET where the gateway runs (and here), or give each account its own: '
       'socialsync migrate backfill --csv FILE (columns account_id,app_secret)' AS todo
FROM accounts
UNION ALL
SELECT sum(with_token) > 0 OR cardinality($2::text[]) > 0,
       'no verify token: Meta''s handshake will be refused',
       'set WHATSAPP_VERIFY_TOKEN or INSTAGRAM_VERIFY_TOKEN, or an account''s verify_token'
FROM accounts HAVING count(*) > 0

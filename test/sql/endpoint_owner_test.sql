-- Endpoints that move to another owner.
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT no_plan();

INSERT INTO users (id, email) SELECT format('10000000-0000-4000-8000-00000000000%s', n)::uuid, n || '@example.org'
FROM generate_series(1, 2) AS n;
INSERT INTO social_accounts (id, platform, account_id, username, user_id, page_id, webhook_url)
SELECT format('20000000-0000-4000-8000-00000000000%s', n)::uuid, platform, n::text, n::text,
       format('10000000-0000-4000-8000-00000000000%s', least(n, 2))::uuid, n::text, 'https://one.example/hook?key=hidden'
FROM unnest(ARRAY['facebook', 'instagram', 'tiktok']::social_platform[]) WITH ORDINALITY AS a (platform, n);  -- the last two are of one user
INSERT INTO webhook_endpoints (social_account_id, place, url)
SELECT id, place, url FROM social_accounts, (VALUES (1, 'https://two.example/'), (2, NULL)) AS more (place, url);
INSERT INTO webhook_endpoints (id, place, url) VALUES ('40000000-0000-4000-8000-000000000000', 0, 'https://user@ops.example/');
UPDATE webhook_endpoints SET headers = '{"authorization": "mine"}', failing_since = now(), warned_percent = 70,
  previous_signing_secret = 'old', previous_signing_secret_until = now() + interval '1 day';
INSERT INTO webhook_deliveries (event_id, endpoint_id, due_at)
SELECT gen_random_uuid(), id, due::timestamptz FROM webhook_endpoints, unnest(ARRAY['now', 'infinity']) AS due;
CREATE TEMP TABLE before AS SELECT * FROM webhook_endpoints;

CREATE FUNCTION pg_temp.account(n integer) RETURNS uuid LANGUAGE sql AS $$
  SELECT format('20000000-0000-4000-8000-00000000000%s', n)::uuid
$$;
-- The unchanged endpoints of an account, by place: id, both secrets, headers, deliveries.
CREATE FUNCTION pg_temp.kept(n integer) RETURNS TABLE (place integer, is_same boolean) LANGUAGE sql AS $$
  SELECT e.place::integer,
         CASE WHEN row(e.id, e.app_secret, e.signing_secret, e.previous_signing_secret, e.headers, e.failing_since, e.warned_percent)
                   = row(b.id, b.app_secret, b.signing_secret, b.previous_signing_secret, b.headers, b.failing_since, b.warned_percent)
                   AND 2 = (SELECT count(*) FROM webhook_deliveries WHERE endpoint_id = b.id) THEN true
              WHEN e.id <> b.id AND e.app_secret <> b.app_secret AND e.signing_secret <> b.signing_secret
                   AND e.previous_signing_secret IS NULL AND e.previous_signing_secret_until IS NULL AND e.headers = '{}'
                   AND e.failing_since IS NULL AND e.warned_percent = 0
                   AND NOT EXISTS (SELECT FROM webhook_deliveries WHERE endpoint_id IN (b.id, e.id)) THEN false END
  FROM webhook_endpoints AS e JOIN before AS b USING (social_account_id, place)
  WHERE e.social_account_id = pg_temp.account(n) ORDER BY e.place
$$;

UPDATE social_accounts SET user_id = user_id, display_name = 'the same owner' WHERE id = pg_temp.account(1);
SELECT results_eq('SELECT * FROM pg_temp.kept(1)', 'VALUES (0, true), (1, true), (2, true)', 'the same owner again: nothing changes');
UPDATE social_accounts SET user_id = '10000000-0000-4000-8000-000000000002', webhook_url = 'https://new.example/'
WHERE id = pg_temp.account(1);
SELECT results_eq('SELECT * FROM pg_temp.kept(1)', 'VALUES (0, false), (1, false), (2, false)',
  'another owner: all endpoints are new, without deliveries');
SELECT results_eq($$SELECT place::integer, url::text, is_enabled, disabled_because FROM webhook_endpoints
                    WHERE social_account_id = pg_temp.account(1) ORDER BY place$$,
  $$VALUES (0, 'https://new.example/', true, NULL), (1, 'https://two.example/', false, 'its account was given to another user'),
           (2, NULL, true, NULL)$$, 'additional URLs of the former owner are disabled');
SELECT matches((SELECT signing_secret FROM webhook_endpoints WHERE social_account_id = pg_temp.account(1) AND place = 0),
               '^whsec_[A-Za-z0-9+/]{40}$', 'the format of signing secrets');
SELECT results_eq('SELECT * FROM pg_temp.kept(2)', 'VALUES (0, true), (1, true), (2, true)', 'endpoints of other accounts are unchanged');

UPDATE webhook_endpoints SET social_account_id = pg_temp.account(3), place = 3 WHERE social_account_id = pg_temp.account(2) AND place = 1;
SELECT results_eq($$SELECT e.id = b.id, e.app_secret = b.app_secret, e.headers = b.headers
                    FROM webhook_endpoints AS e, before AS b
                    WHERE e.social_account_id = pg_temp.account(3) AND e.place = 3
                      AND b.social_account_id = pg_temp.account(2) AND b.place = 1$$,
  'VALUES (true, true, true)', 'to another account of the same user: unchanged');
UPDATE webhook_endpoints SET social_account_id = NULL, place = 1, app_secret = 'given' WHERE social_account_id = pg_temp.account(3) AND place = 3;
SELECT results_eq($$SELECT b.id IS NULL, e.app_secret::text, e.headers FROM webhook_endpoints AS e LEFT JOIN before AS b USING (id)
                    WHERE e.social_account_id IS NULL AND e.place = 1$$,
  $$VALUES (true, 'given', '{}'::jsonb)$$, 'to the operator: a new endpoint, with the secret of the same statement');
UPDATE webhook_endpoints SET social_account_id = pg_temp.account(3), place = 4 WHERE id = '40000000-0000-4000-8000-000000000000';
SELECT is((SELECT count(*) FROM webhook_endpoints AS e JOIN before USING (id) WHERE e.place = 4), 0::bigint, 'from the operator: a new endpoint');
SELECT is((SELECT count(*) FROM webhook_deliveries WHERE endpoint_id = '40000000-0000-4000-8000-000000000000'), 0::bigint,
          'without deliveries');

SELECT * FROM finish();
ROLLBACK;

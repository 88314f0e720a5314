-- Endpoint health is recorded once, and the operator is notified once.
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT no_plan();

INSERT INTO users (id, email) VALUES ('10000000-0000-4000-8000-000000000001', 'one@example.org');
INSERT INTO social_accounts (id, platform, account_id, username, user_id, page_id)
VALUES ('20000000-0000-4000-8000-000000000001', 'instagram', 'a', 'a', '10000000-0000-4000-8000-000000000001', '1');
INSERT INTO webhook_endpoints (id, social_account_id, place, url, webhook_events, is_enabled)
SELECT format('50000000-0000-4000-8000-00000000000%s', n)::uuid, CASE WHEN n = 0 THEN '20000000-0000-4000-8000-000000000001'::uuid END, n, url, events, is_enabled
FROM (VALUES (0, 'https://bot.example:8443/hook?key=hidden', NULL, true), (1, 'https://user:pass@ops.example/', NULL, true),
             (2, NULL, ARRAY['endpoint_disabled'], true), (3, 'https://off.example/', NULL, false)) AS e (n, url, events, is_enabled);
CREATE FUNCTION pg_temp.endpoint(n integer) RETURNS uuid LANGUAGE sql AS $$
  SELECT format('50000000-0000-4000-8000-00000000000%s', n)::uuid
$$;
CREATE FUNCTION pg_temp.news(n integer, is_failing boolean, percent integer, because text DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
  SELECT socialsync.record_endpoint_news(pg_temp.endpoint(n), is_failing, percent::smallint, because)
$$;
-- The notifications since the last call: type, endpoint, percentage, and recipients.
CREATE FUNCTION pg_temp.told() RETURNS TABLE (told text, about integer, percent integer, deliveries integer[]) LANGUAGE sql AS $$
  WITH gone AS (DELETE FROM webhook_logs RETURNING *), rows AS (DELETE FROM webhook_deliveries RETURNING *)
  SELECT webhook_type::text, right(external_message_id, 1)::integer, (payload #>> '{entry,0,changes,0,value,percent}')::integer,
         ARRAY(SELECT right(endpoint_id::text, 1)::integer FROM rows WHERE event_id = gone.id ORDER BY 1)
  FROM gone ORDER BY id
$$;

SELECT pg_temp.news(0, true, 0);
SELECT isnt((SELECT failing_since FROM webhook_endpoints WHERE id = pg_temp.endpoint(0)), NULL, 'it fails');
SELECT is_empty('SELECT * FROM pg_temp.told()', 'a first failure is no news for the operator');
SELECT pg_temp.news(0, true, 50);
SELECT is((SELECT payload FROM webhook_logs), jsonb_build_object('object', 'socialsync', 'entry', jsonb_build_array(
  jsonb_build_object('id', pg_temp.endpoint(0), 'time', floor(extract(epoch FROM now()))::bigint, 'changes', jsonb_build_array(
    jsonb_build_object('field', 'endpoint_failing', 'value', jsonb_build_object('endpoint_id', pg_temp.endpoint(0), 'account_id',
      '20000000-0000-4000-8000-000000000001'::uuid, 'place', 0, 'host', 'bot.example', 'percent', 50, 'disabled_because', NULL, 'failing_since',
      to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))))))), 'the shape of Meta''s, and no more of the URL than its host');
SELECT results_eq('SELECT platform::text, status::text, social_account_id, user_id FROM webhook_logs',
  $$VALUES ('instagram', 'received', NULL::uuid, NULL::uuid)$$, 'of the account''s platform, and no tenant''s');
SELECT results_eq('SELECT * FROM pg_temp.told()', $$VALUES ('endpoint_failing', 0, 50, ARRAY[1])$$, 'who wants all is told');
SELECT pg_temp.news(0, true, 50);
SELECT pg_temp.news(0, true, 0);
SELECT is((SELECT warned_percent FROM webhook_endpoints WHERE id = pg_temp.endpoint(0)), 50::smallint,
          'a worker that has just begun to see failures takes nothing back');
SELECT is_empty('SELECT * FROM pg_temp.told()', 'what another worker has found out already is told once');
SELECT pg_temp.news(0, true, 90);
SELECT results_eq('SELECT * FROM pg_temp.told()', $$VALUES ('endpoint_failing', 0, 90, ARRAY[1])$$, 'the next mark is told');
SELECT pg_temp.news(0, false, 0);
SELECT results_eq($$SELECT failing_since, warned_percent::integer FROM webhook_endpoints WHERE id = pg_temp.endpoint(0)$$,
  'VALUES (NULL::timestamptz, 0)', 'a success ends it');
SELECT is_empty('SELECT * FROM pg_temp.told()', 'without an event');
SELECT pg_temp.news(0, true, 100, 'it failed for five days'), pg_temp.news(0, true, 100, 'it failed for five days');
SELECT results_eq($$SELECT is_enabled, disabled_because FROM webhook_endpoints WHERE id = pg_temp.endpoint(0)$$,
  $$VALUES (false, 'it failed for five days')$$, 'it is switched off');
SELECT results_eq('SELECT * FROM pg_temp.told()', $$VALUES ('endpoint_disabled', 0, 100, ARRAY[1, 2])$$,
  'which is told once, to those that want it, not to one that is switched off');
SELECT pg_temp.news(1, true, 70);
SELECT is((SELECT payload #>> '{entry,0,changes,0,value,host}' FROM webhook_logs), NULL, 'no host of a URL with a user in it');
SELECT is((SELECT status::text FROM webhook_logs), 'ignored', 'nobody asked for it');
SELECT results_eq('SELECT * FROM pg_temp.told()', $$VALUES ('endpoint_failing', 1, 70, '{}'::integer[])$$,
  'what fails is not told of itself');
SELECT lives_ok($$SELECT socialsync.record_endpoint_news(gen_random_uuid(), true, 100::smallint, 'gone')$$, 'one that is gone meanwhile');
SELECT is_empty('SELECT * FROM pg_temp.told()', 'is no news');

SELECT is((SELECT string_agg(r.rolname || ' ' || p.proname, ', ') FROM pg_proc AS p, pg_roles AS r
           WHERE p.pronamespace = 'socialsync'::regnamespace AND p.proname IN ('tell_operator', 'record_endpoint_news')
             AND r.rolname IN ('anon', 'authenticated', 'service_role') AND has_function_privilege(r.oid, p.oid, 'EXECUTE')),
          'service_role record_endpoint_news', 'who may call');

SELECT * FROM finish();
ROLLBACK;

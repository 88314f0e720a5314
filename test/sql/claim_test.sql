-- Pull instead of push: claim_webhooks() and mark_webhook_processed().
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT no_plan();

INSERT INTO users (id, email) VALUES ('10000000-0000-4000-8000-000000000001', 'carla@example.org');
INSERT INTO social_accounts (id, platform, account_id, username, user_id, phone_number_id)
VALUES ('20000000-0000-4000-8000-000000000001', 'whatsapp', 'a', 'a', '10000000-0000-4000-8000-000000000001', '1'),
       ('20000000-0000-4000-8000-000000000002', 'whatsapp_business', 'b', 'b', '10000000-0000-4000-8000-000000000001', '2');

SELECT function_returns('public', 'claim_webhooks', ARRAY['uuid', 'integer', 'interval'], 'setof record');
SELECT throws_ok($$SELECT claim_webhooks('20000000-0000-4000-8000-000000000001')$$, 'P0002',
  'account 20000000-0000-4000-8000-000000000001 has no endpoint from which events are pulled', 'there is nothing to pull from');
SELECT throws_ok($$SELECT claim_webhooks('20000000-0000-4000-8000-000000000001', 0)$$, '22023', NULL, 'a limit of none');
SELECT throws_ok($$SELECT claim_webhooks('20000000-0000-4000-8000-000000000001', 1, '2 days')$$, '22023', NULL, 'a lease too long');

INSERT INTO webhook_endpoints (id, social_account_id, place, url)
VALUES ('30000000-0000-4000-8000-000000000001', '20000000-0000-4000-8000-000000000001', 1, NULL),
       ('30000000-0000-4000-8000-000000000002', '20000000-0000-4000-8000-000000000001', 2, 'https://bot.example/'),
       ('30000000-0000-4000-8000-000000000003', '20000000-0000-4000-8000-000000000002', 1, NULL);
INSERT INTO webhook_logs (id, social_account_id, platform, webhook_type, payload, external_message_id, customer_identifier)
SELECT socialsync.new_log_id(now() + n * interval '1 ms'), '20000000-0000-4000-8000-000000000001', 'whatsapp', 'messages',
       jsonb_build_object('n', n), 'wamid.' || n, '33600000000'
FROM generate_series(1, 5) AS n;
INSERT INTO webhook_deliveries (event_id, endpoint_id, due_at)
SELECT l.id, e.id, now() - interval '1 hour' + (l.payload ->> 'n')::integer * interval '1 minute'
FROM webhook_logs AS l JOIN webhook_endpoints AS e USING (social_account_id);

SELECT results_eq($$SELECT webhook_type::text, payload, external_message_id::text, customer_identifier::text, claims
                    FROM claim_webhooks('20000000-0000-4000-8000-000000000001', 2)$$,
  $$VALUES ('messages', '{"n": 1}'::jsonb, 'wamid.1', '33600000000', 1), ('messages', '{"n": 2}', 'wamid.2', '33600000000', 1)$$,
  'the oldest first');
SELECT results_eq($$SELECT payload FROM claim_webhooks('20000000-0000-4000-8000-000000000001', 10)$$,
  $$VALUES ('{"n": 3}'::jsonb), ('{"n": 4}'), ('{"n": 5}')$$, 'what is claimed is nobody else''s');
SELECT is_empty($$SELECT claim_webhooks('20000000-0000-4000-8000-000000000001')$$, 'until the lease is over');
SELECT is_empty($$SELECT claim_webhooks('20000000-0000-4000-8000-000000000002')$$, 'another account''s are its own');

UPDATE webhook_deliveries SET due_at = now() - interval '1 s'
WHERE endpoint_id = '30000000-0000-4000-8000-000000000001'
  AND event_id = (SELECT id FROM webhook_logs WHERE external_message_id = 'wamid.3');
SELECT results_eq($$SELECT payload, claims FROM claim_webhooks('20000000-0000-4000-8000-000000000001')$$,
  $$VALUES ('{"n": 3}'::jsonb, 2)$$, 'then it is offered again, and says so');

SELECT mark_webhook_processed(id, 12) FROM webhook_logs WHERE external_message_id = 'wamid.1';
SELECT mark_webhook_processed(id, 12, 'no such customer') FROM webhook_logs WHERE external_message_id = 'wamid.2';
SELECT results_eq($$SELECT external_message_id::text FROM webhook_deliveries JOIN webhook_logs ON id = event_id
                    WHERE endpoint_id = '30000000-0000-4000-8000-000000000001' ORDER BY 1$$,
  $$VALUES ('wamid.3'), ('wamid.4'), ('wamid.5')$$, 'what is marked is no longer offered, a failure neither');
SELECT is((SELECT count(*) FROM webhook_deliveries WHERE endpoint_id = '30000000-0000-4000-8000-000000000002'), 5::bigint,
          'deliveries to a URL are not the caller''s to end');

-- Deliveries whose events were deleted.
INSERT INTO webhook_deliveries (event_id, endpoint_id, due_at)
SELECT gen_random_uuid(), '30000000-0000-4000-8000-000000000003', now() - n * interval '1 minute' FROM generate_series(1, 25) AS n;
INSERT INTO webhook_deliveries (event_id, endpoint_id, due_at)
SELECT id, '30000000-0000-4000-8000-000000000003', now() FROM webhook_logs WHERE external_message_id IN ('wamid.4', 'wamid.5');
SELECT results_eq($$SELECT payload, claims FROM claim_webhooks('20000000-0000-4000-8000-000000000002')$$,
  $$VALUES ('{"n": 4}'::jsonb, 1), ('{"n": 5}', 1)$$, 'are in nobody''s way, however many');
SELECT is((SELECT count(*) FROM webhook_deliveries WHERE endpoint_id = '30000000-0000-4000-8000-000000000003'), 2::bigint,
          'and are claimed no more');

-- A role from which row-level security hides events.
CREATE ROLE claim_test_blind;
GRANT USAGE ON SCHEMA public TO claim_test_blind;
GRANT SELECT ON webhook_endpoints, webhook_logs TO claim_test_blind;
GRANT SELECT, UPDATE, DELETE ON webhook_deliveries TO claim_test_blind;
GRANT EXECUTE ON FUNCTION claim_webhooks(uuid, integer, interval) TO claim_test_blind;
CREATE POLICY claim_test_blind ON webhook_endpoints TO claim_test_blind USING (true);
CREATE POLICY claim_test_blind ON webhook_deliveries TO claim_test_blind USING (true);
UPDATE webhook_deliveries SET due_at = now() WHERE endpoint_id = '30000000-0000-4000-8000-000000000003';
SET LOCAL ROLE claim_test_blind;
DO $$ BEGIN PERFORM public.claim_webhooks('20000000-0000-4000-8000-000000000002', 1); END $$;
RESET ROLE;
SELECT is((SELECT count(*) FROM webhook_deliveries WHERE endpoint_id = '30000000-0000-4000-8000-000000000003'), 2::bigint,
          'what one cannot see is not taken for gone');

UPDATE webhook_endpoints SET is_enabled = false WHERE id = '30000000-0000-4000-8000-000000000001';
SELECT throws_ok($$SELECT claim_webhooks('20000000-0000-4000-8000-000000000001')$$, 'P0002', NULL, 'nothing from one that is disabled');

-- A role that may only mark, as before endpoints existed.
CREATE ROLE claim_test_marker;
GRANT USAGE ON SCHEMA public TO claim_test_marker;
GRANT SELECT, UPDATE ON webhook_logs TO claim_test_marker;
GRANT EXECUTE ON FUNCTION mark_webhook_processed(uuid, integer, text) TO claim_test_marker;
CREATE POLICY claim_test_marker ON webhook_logs TO claim_test_marker USING (true);
SET LOCAL ROLE claim_test_marker;
SELECT set_config('test.marked', '', true);
DO $$ BEGIN PERFORM public.mark_webhook_processed(id) FROM public.webhook_logs WHERE external_message_id = 'wamid.4'; END $$;
RESET ROLE;
SELECT is((SELECT status::text FROM webhook_logs WHERE external_message_id = 'wamid.4'), 'processed', 'marks as it always could');

SELECT * FROM finish();
ROLLBACK;

-- The functions for programs.
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT no_plan();

INSERT INTO users (id, email) VALUES ('10000000-0000-4000-8000-000000000001', 'carla@example.org');
INSERT INTO social_accounts (id, platform, account_id, username, display_name, access_token, user_id, phone_number_id,
                             page_id, app_secret, verify_token, business_name, display_phone_number, is_active)
VALUES
  ('20000000-0000-4000-8000-000000000001', 'whatsapp_business', 'wa_carla', 'carla', 'Carla', 'wa-token',
   '10000000-0000-4000-8000-000000000001', '1001', NULL, 'wa-secret', 'wa-verify', 'Carla SARL', '+33100000001', true),
  ('20000000-0000-4000-8000-000000000002', 'instagram', '17840001', 'carla.photo', 'Carla Photo', 'ig-token',
   '10000000-0000-4000-8000-000000000001', NULL, '2001', 'ig-secret', 'ig-verify', NULL, NULL, true),
  ('20000000-0000-4000-8000-000000000003', 'whatsapp', 'wa_closed', 'closed', NULL, NULL,
   '10000000-0000-4000-8000-000000000001', '1002', NULL, NULL, NULL, NULL, NULL, false),
  ('20000000-0000-4000-8000-000000000004', 'facebook', 'fb_carla', 'carla', NULL, NULL,
   '10000000-0000-4000-8000-000000000001', '1003', '2003', NULL, NULL, NULL, NULL, true);

-- Signatures
SELECT function_returns('public', 'get_whatsapp_user_by_phone_number_id', ARRAY['character varying'], 'setof record');
SELECT function_returns('public', 'get_instagram_user_by_page_id', ARRAY['character varying'], 'setof record');
SELECT function_returns('public', 'log_webhook',
  ARRAY['uuid', 'social_platform', 'character varying', 'jsonb', 'character varying', 'character varying'], 'uuid');
SELECT function_returns('public', 'mark_webhook_processed', ARRAY['uuid', 'integer', 'text'], 'void');

-- Routing: columns by name and in order
SELECT results_eq($$SELECT user_id, social_account_id, access_token, app_secret, verify_token, display_phone_number,
                           business_name, username, is_active FROM get_whatsapp_user_by_phone_number_id('1001')$$,
  $$VALUES ('10000000-0000-4000-8000-000000000001'::uuid, '20000000-0000-4000-8000-000000000001'::uuid,
            'wa-token'::text, 'wa-secret'::varchar, 'wa-verify'::varchar, '+33100000001'::varchar,
            'Carla SARL'::varchar, 'carla'::varchar, true)$$, 'the WhatsApp account of a phone number id');
SELECT results_eq($$SELECT * FROM get_whatsapp_user_by_phone_number_id('1001')$$,
  $$SELECT user_id, social_account_id, access_token, app_secret, verify_token, display_phone_number, business_name,
           username, is_active FROM get_whatsapp_user_by_phone_number_id('1001')$$, 'its columns are in that order');
SELECT results_eq($$SELECT * FROM get_instagram_user_by_page_id('2001')$$,
  $$VALUES ('10000000-0000-4000-8000-000000000001'::uuid, '20000000-0000-4000-8000-000000000002'::uuid,
            'ig-token'::text, 'ig-secret'::varchar, 'ig-verify'::varchar, 'Carla Photo'::varchar,
            'carla.photo'::varchar, true)$$, 'the Instagram account of a page id');
SELECT is((SELECT social_account_id FROM get_instagram_user_by_page_id('17840001')),
          '20000000-0000-4000-8000-000000000002', 'or of the id under which it was connected');
SELECT is_empty($$SELECT * FROM get_whatsapp_user_by_phone_number_id('1002')$$, 'no row when inactive');
SELECT is_empty($$SELECT * FROM get_whatsapp_user_by_phone_number_id('unknown')$$, 'no row when unknown');
SELECT is_empty($$SELECT * FROM get_whatsapp_user_by_phone_number_id('1003')$$, 'no row for another platform');
SELECT is_empty($$SELECT * FROM get_whatsapp_user_by_phone_number_id(NULL)$$, 'no row for NULL');
SELECT is_empty($$SELECT * FROM get_instagram_user_by_page_id('2003')$$, 'no row for a Page of another platform');
SELECT is_empty($$SELECT * FROM get_instagram_user_by_page_id(NULL)$$, 'no row for NULL');

-- The page id has precedence over another account's id.
INSERT INTO users (id, email) VALUES ('10000000-0000-4000-8000-000000000002', 'denis@example.org');
INSERT INTO social_accounts (id, platform, account_id, username, user_id, page_id)
VALUES ('20000000-0000-4000-8000-000000000005', 'instagram', '2001', 'denis',
        '10000000-0000-4000-8000-000000000002', '3001');
SELECT is((SELECT array_agg(social_account_id) FROM get_instagram_user_by_page_id('2001')),
          ARRAY['20000000-0000-4000-8000-000000000002']::uuid[], 'a page id beats an account id, one row');

-- Logging
CREATE TEMP TABLE logged AS SELECT log_webhook('20000000-0000-4000-8000-000000000001', 'whatsapp', 'messages',
  '{"test": true}', 'wamid.1', '33765540003') AS id;
SELECT row_eq($$SELECT social_account_id, platform, webhook_type, payload, external_message_id, customer_identifier,
                       user_id, status FROM webhook_logs JOIN logged USING (id)$$,
  ROW('20000000-0000-4000-8000-000000000001'::uuid, 'whatsapp'::social_platform, 'messages'::varchar(50),
      '{"test": true}'::jsonb, 'wamid.1'::varchar(255), '33765540003'::varchar(255),
      '10000000-0000-4000-8000-000000000001'::uuid, 'received'::varchar(50)), 'log_webhook fills the row');
SELECT is((SELECT (webhook_status, last_webhook_at) FROM social_accounts
           WHERE id = '20000000-0000-4000-8000-000000000001'),
          ('active'::varchar(50), now()), 'the account turns active, with its last webhook now');
SELECT matches((SELECT id::text FROM logged), '^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$',
               'its id is a UUID of version 8');
SELECT is((SELECT abs(('x' || translate(left(id::text, 13), '-', ''))::bit(48)::bigint
                      - extract(epoch FROM now()) * 1000) < 60000 FROM logged), true, 'that begins with the time');
SELECT is((SELECT w.tableoid::regclass::text FROM webhook_logs AS w JOIN logged USING (id)),
          'socialsync.webhook_logs_p' || to_char(date_trunc('week', now() AT TIME ZONE 'UTC'), 'YYYYMMDD'),
          'it is in the partition of this week');
SELECT lives_ok($$SELECT log_webhook('20000000-0000-4000-8000-000000000001', 'whatsapp', 'messages', '{}')$$,
                'message id and customer may be left out');
SELECT throws_ok($$SELECT log_webhook('29999999-0000-4000-8000-000000000000', 'whatsapp', 'messages', '{}')$$, '23503',
                 'no social account 29999999-0000-4000-8000-000000000000', 'an unknown account is refused');
SELECT lives_ok($$SELECT log_webhook(NULL, 'whatsapp', 'messages', '{}')$$, 'a log may be nobody''s');

-- Outcomes
SELECT lives_ok($$SELECT mark_webhook_processed(id) FROM logged$$, 'the time may be left out');
SELECT row_eq($$SELECT status, processing_time_ms, error_message FROM webhook_logs JOIN logged USING (id)$$,
              ROW('processed'::varchar(50), NULL::integer, NULL::text), 'processed');
SELECT mark_webhook_processed(id, 42) FROM logged;
SELECT row_eq($$SELECT status, processing_time_ms, error_message FROM webhook_logs JOIN logged USING (id)$$,
              ROW('processed'::varchar(50), 42, NULL::text), 'with its milliseconds');
SELECT mark_webhook_processed(id, NULL, 'no such customer') FROM logged;
SELECT row_eq($$SELECT status, processing_time_ms, error_message FROM webhook_logs JOIN logged USING (id)$$,
              ROW('error'::varchar(50), 42, 'no such customer'::text), 'an error, when there is a text');
SELECT throws_ok($$SELECT mark_webhook_processed('00000000-0000-8000-8000-000000000000')$$, 'P0002',
                 'no webhook log 00000000-0000-8000-8000-000000000000', 'an unknown log is an error');
SELECT throws_ok($$SELECT mark_webhook_processed(NULL)$$, 'P0002', 'no webhook log NULL', 'so is NULL');

-- They work whatever the caller's search_path is.
CREATE FUNCTION pg_temp.elsewhere(query text) RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
  rows bigint;
BEGIN
  EXECUTE format('SELECT count(*) FROM (%s) AS q', query) INTO rows;
  RETURN rows;
END $$;
SELECT is(pg_temp.elsewhere($$SELECT * FROM public.get_whatsapp_user_by_phone_number_id('1001')$$), 1::bigint,
          'whatever the search_path: WhatsApp');
SELECT is(pg_temp.elsewhere($$SELECT * FROM public.get_instagram_user_by_page_id('2001')$$), 1::bigint,
          'whatever the search_path: Instagram');
SELECT is(pg_temp.elsewhere($$SELECT public.log_webhook('20000000-0000-4000-8000-000000000001', 'whatsapp', 'messages',
                                                        '{}')$$), 1::bigint, 'whatever the search_path: log');
SELECT is(pg_temp.elsewhere(format('SELECT public.mark_webhook_processed(%L)', id)), 1::bigint,
          'whatever the search_path: mark') FROM logged;

-- Bodies as text
SELECT is(socialsync.readable(convert_to('été 🎉', 'UTF8')), 'été 🎉', 'a readable body');
SELECT is(socialsync.readable('\x'), '', 'an empty one');
SELECT is(socialsync.readable(NULL), NULL, 'none');
SELECT is(socialsync.readable('\x00ff41'), '\000\377A', 'bytes that are no text');
SELECT is(socialsync.readable(convert_to(repeat('été ', 100), 'UTF8') || '\x00'::bytea
                              || convert_to(repeat('🎉', 100), 'UTF8'))
          LIKE repeat('été ', 90) || '%' || repeat('🎉', 90), true, 'one bad byte spoils only its surroundings');
SELECT is(length(socialsync.readable(decode(repeat('ff', 100000), 'hex'))), 400000, 'a hundred thousand bad bytes');

SELECT * FROM finish();
ROLLBACK;

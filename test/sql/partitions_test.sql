-- Weekly partitions: made ahead, given the default partition's rows, dropped when they are old.
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT no_plan();
SET LOCAL timezone = 'Pacific/Auckland';

CREATE FUNCTION pg_temp.week(weeks integer) RETURNS timestamptz LANGUAGE sql AS $$
  SELECT (date_trunc('week', now() AT TIME ZONE 'UTC') + make_interval(weeks => weeks)) AT TIME ZONE 'UTC'
$$;
CREATE FUNCTION pg_temp.partition(weeks integer) RETURNS text LANGUAGE sql AS $$
  SELECT 'socialsync.webhook_logs_p' || to_char(pg_temp.week(weeks) AT TIME ZONE 'UTC', 'YYYYMMDD')
$$;
CREATE FUNCTION pg_temp.log(at timestamptz, text, received timestamptz DEFAULT now()) RETURNS void LANGUAGE sql AS $$
  INSERT INTO webhook_logs (id, platform, webhook_type, payload, external_message_id, created_at)
  VALUES (socialsync.new_log_id(at), 'instagram', 'messages', '{}', $2, received)
$$;
CREATE FUNCTION pg_temp.run(statement text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
END $$;

-- Ids
SELECT is(socialsync.first_log_id('2024-01-02 03:04:05.678+00'), '018cc820-db2e-0000-0000-000000000000',
          'the first id of a time');
SELECT is((SELECT bool_and(socialsync.new_log_id(t) >= socialsync.first_log_id(t)
                           AND socialsync.new_log_id(t) < socialsync.first_log_id(t + interval '1 ms'))
           FROM generate_series(now(), now() + interval '2 s', interval '7 ms') AS t), true,
          'new ids are of their time');
SELECT is((SELECT count(DISTINCT socialsync.new_log_id(now())) FROM generate_series(1, 1000)), 1000::bigint,
          'and differ');

-- The existing partitions
SELECT set_eq($$SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'webhook_logs'::regclass$$,
  $$SELECT pg_temp.partition(w) FROM generate_series(-2, 4) AS w UNION SELECT 'socialsync.webhook_logs_default'$$,
  'from two weeks ago to four weeks ahead, and the default');
SELECT is((SELECT bool_and(relrowsecurity) FROM pg_inherits JOIN pg_class ON oid = inhrelid
           WHERE inhparent = 'webhook_logs'::regclass), true, 'each has row-level security');
SELECT is_empty($$SELECT * FROM socialsync.maintain_partitions()$$, 'a second call does nothing');

-- Where rows go: the bounds of a week are Mondays in UTC, whatever the session's time zone
SELECT pg_temp.log(pg_temp.week(0), 'first of week');
SELECT pg_temp.log(pg_temp.week(1) - interval '1 ms', 'last of week');
SELECT pg_temp.log(pg_temp.week(6), 'too early for its partition');
SELECT pg_temp.log(pg_temp.week(5) - interval '1 ms', 'last of the last');
SELECT pg_temp.log('1971-01-01', 'odd time');
SELECT results_eq($$SELECT external_message_id::text, tableoid::regclass::text FROM webhook_logs
                    WHERE external_message_id LIKE '%week%' OR external_message_id LIKE '%last%'
                       OR external_message_id LIKE '%time%' OR external_message_id LIKE 'too%' ORDER BY id$$,
  $$VALUES ('odd time', 'socialsync.webhook_logs_default'), ('first of week', pg_temp.partition(0)),
           ('last of week', pg_temp.partition(0)), ('last of the last', pg_temp.partition(4)),
           ('too early for its partition', 'socialsync.webhook_logs_default')$$, 'each row is in its week');

-- Its partition comes: the row moves
SELECT results_eq($$SELECT action, partition FROM socialsync.maintain_partitions(6)$$,
  $$VALUES ('created', pg_temp.partition(5)), ('created with 1 rows of the default partition', pg_temp.partition(6))$$,
  'two more weeks, one of them with a row');
CREATE FUNCTION pg_temp.attempts(weeks integer) RETURNS text LANGUAGE sql AS $$
  SELECT replace(pg_temp.partition(weeks), 'webhook_logs', 'webhook_delivery_attempts')
$$;
SELECT results_eq($$SELECT action, partition FROM socialsync.maintain_partitions(6)$$,
  $$VALUES ('created', pg_temp.attempts(5)), ('created', pg_temp.attempts(6))$$,
  'the next call makes those of the attempts');
SELECT is((SELECT tableoid::regclass::text FROM webhook_logs WHERE external_message_id = 'too early for its partition'),
          pg_temp.partition(6), 'the row moved');
SELECT is((SELECT count(*) FROM pg_index WHERE indrelid = pg_temp.partition(6)::regclass),
          (SELECT count(*) FROM pg_index WHERE indrelid = 'webhook_logs'::regclass), 'with the indexes of its table');
SELECT is((SELECT count(*) FROM pg_constraint
           WHERE conrelid = pg_temp.partition(6)::regclass AND contype IN ('f', 'c')), 3::bigint, 'and its constraints');
SELECT table_privs_are('socialsync', split_part(pg_temp.partition(6), '.', 2), role, ARRAY[]::text[],
                       role || ' has no rights on it')
FROM unnest(ARRAY['anon', 'authenticated', 'service_role']) AS role;

-- Retention
INSERT INTO socialsync.webhook_event_keys VALUES
  ('00000000-0000-4000-8000-000000000001', gen_random_uuid(), now() - interval '9 days'),
  ('00000000-0000-4000-8000-000000000002', gen_random_uuid(), now() - interval '7 days');
INSERT INTO webhook_quarantine (reason, body, created_at) VALUES ('not_json', 'old', now() - interval '31 days'),
                                                                 ('not_json', 'new', now() - interval '29 days');
SELECT pg_temp.log('1971-01-01', 'odd and old', now() - interval '31 days');
SELECT is_empty($$SELECT * FROM socialsync.maintain_partitions(6)$$, 'without retention nothing is reported');
SELECT is((SELECT array_agg(key::text) FROM socialsync.webhook_event_keys),
          ARRAY['00000000-0000-4000-8000-000000000002'], 'but keys older than eight days are gone');
SELECT results_eq($$SELECT * FROM socialsync.maintain_partitions(6, 30)$$,
  $$VALUES ('deleted 1 rows', 'public.webhook_quarantine'), ('deleted 1 rows', 'socialsync.webhook_logs_default')$$,
  'older rows of the quarantine and of the default partition');
SELECT is((SELECT array_agg(external_message_id::text) FROM socialsync.webhook_logs_default), ARRAY['odd time'],
          'an odd time received lately is kept');
-- Made by hand: partitions of two weeks that are wholly and partly older than 30 days
SELECT set_config('role', pg_get_userbyid(relowner), true) FROM pg_class WHERE oid = 'webhook_logs'::regclass;
SELECT socialsync.create_partition(split_part(pg_temp.partition(w), '.', 2), pg_temp.week(w) AT TIME ZONE 'UTC')
FROM unnest(ARRAY[-9, -4]) AS w;
RESET ROLE;
SELECT pg_temp.log(pg_temp.week(-9), 'expired');
SELECT pg_temp.log(pg_temp.week(-4), 'kept');
SELECT results_eq($$SELECT * FROM socialsync.maintain_partitions(6, 30)$$,
  $$VALUES ('dropped', pg_temp.partition(-9))$$, 'a partition goes when its whole week is older');
SELECT is((SELECT array_agg(external_message_id::text) FROM webhook_logs
           WHERE external_message_id IN ('expired', 'kept')), ARRAY['kept'], 'with its rows, and no other');
SELECT lives_ok($$SELECT * FROM socialsync.maintain_partitions(6, 1)$$, 'the shortest retention');
SELECT is_empty($$SELECT * FROM socialsync.maintain_partitions(6, 1)$$, 'makes nothing that it would drop again');

-- Attempts: weekly too, kept for 30 days, or less
SELECT set_eq($$SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'webhook_delivery_attempts'::regclass$$,
  $$SELECT pg_temp.attempts(w) FROM generate_series(0, 6) AS w
    UNION SELECT 'socialsync.webhook_delivery_attempts_default'$$, 'attempts: from this week on, and the default');
SELECT is((SELECT bool_and(relrowsecurity AND relowner = (SELECT relowner FROM pg_class
                                                          WHERE oid = 'webhook_delivery_attempts'::regclass))
           FROM pg_inherits JOIN pg_class ON oid = inhrelid
           WHERE inhparent = 'webhook_delivery_attempts'::regclass), true,
          'each has row-level security and the owner of its table');
SELECT is((SELECT count(*) FROM pg_index WHERE indrelid = pg_temp.attempts(6)::regclass), 2::bigint,
          'with the indexes of its table');
SELECT table_privs_are('socialsync', split_part(pg_temp.attempts(6), '.', 2), role, ARRAY[]::text[],
                       role || ' has no rights on it')
FROM unnest(ARRAY['anon', 'authenticated', 'service_role']) AS role;
INSERT INTO webhook_delivery_attempts (attempted_at, event_id, endpoint_id, attempt, took_ms)
SELECT at, '00000000-0000-8000-8000-00000000000a', '00000000-0000-8000-8000-00000000000b', 1, 1
FROM unnest(ARRAY[pg_temp.week(1) - interval '1 microsecond', pg_temp.week(1), pg_temp.week(-20)]) AS at;
SELECT results_eq($$SELECT tableoid::regclass::text FROM webhook_delivery_attempts
                    WHERE event_id = '00000000-0000-8000-8000-00000000000a' ORDER BY attempted_at$$,
  $$VALUES ('socialsync.webhook_delivery_attempts_default'), (pg_temp.attempts(0)), (pg_temp.attempts(1))$$,
  'an attempt is in its week');
SELECT set_config('role', pg_get_userbyid(relowner), true) FROM pg_class WHERE oid = 'webhook_logs'::regclass;
SELECT is((SELECT count(*) FROM (
  SELECT pg_temp.run(format('CREATE TABLE %s PARTITION OF public.webhook_delivery_attempts FOR VALUES FROM (%L) TO (%L)',
                            pg_temp.attempts(w), pg_temp.week(w), pg_temp.week(w + 1)))
  FROM unnest(ARRAY[-7, -4, -2]) AS w) AS made), 3::bigint, 'made by hand: older weeks');
RESET ROLE;
SELECT results_eq('SELECT * FROM socialsync.maintain_attempts(6, NULL)',
  $$VALUES ('dropped', pg_temp.attempts(-7)), ('deleted 1 rows', 'socialsync.webhook_delivery_attempts_default')$$,
  'attempts are kept for 30 days, even where events are kept for ever');
SELECT is((SELECT count(*) FROM webhook_delivery_attempts WHERE event_id = '00000000-0000-8000-8000-00000000000a'), 2::bigint,
          'in the default partition, too');
SELECT is_empty('SELECT * FROM socialsync.maintain_attempts(6, 90)', 'nor longer where events are');
SELECT results_eq('SELECT * FROM socialsync.maintain_attempts(6, 15)', $$VALUES ('dropped', pg_temp.attempts(-4))$$,
  'for less where events are');

SELECT throws_ok(format('SELECT socialsync.maintain_partitions(%s)', arguments), '22023', NULL,
                 'refused: ' || arguments)
FROM unnest(ARRAY['-1', '521', 'NULL', '4, 0', '4, -5']) AS arguments;

-- mark_webhook_processed looks into one partition only.
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query;
END $$;
SELECT is((SELECT count(*) FROM pg_temp.plan(format('UPDATE webhook_logs SET status = ''processed'' WHERE id = %L',
                                                    socialsync.first_log_id(now()))) AS line
           WHERE line LIKE '%Scan using%'), 1::bigint, 'an update by id scans one partition');

SELECT * FROM finish();
ROLLBACK;

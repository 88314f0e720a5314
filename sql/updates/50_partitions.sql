-- ---------------------------------------------------------------------------------------------------------------
-- Partitions of webhook_logs, and retention

-- The required weekly partitions, oldest first: from two weeks ago, because Meta repeats events for days. The schema
-- socialsync gets a copy of this function.
CREATE OR REPLACE FUNCTION pg_temp.wanted_partitions(weeks_ahead integer, keep_from timestamptz)
RETURNS TABLE (name text, monday timestamp) LANGUAGE sql STABLE AS $$
  SELECT 'webhook_logs_p' || to_char(week, 'YYYYMMDD'), week
  FROM date_trunc('week', now() AT TIME ZONE 'UTC') AS this_week,
       generate_series(this_week - interval '2 weeks', this_week + make_interval(weeks => weeks_ahead),
                       interval '1 week') AS week
  WHERE keep_from IS NULL OR (week + interval '1 week') AT TIME ZONE 'UTC' > keep_from
  ORDER BY week;
$$;

-- The required partitions of webhook_delivery_attempts, from this week on.
CREATE OR REPLACE FUNCTION pg_temp.wanted_attempt_partitions(weeks_ahead integer)
RETURNS TABLE (name text, monday timestamp) LANGUAGE sql STABLE AS $$
  SELECT 'webhook_delivery_attempts_p' || to_char(week, 'YYYYMMDD'), week
  FROM date_trunc('week', now() AT TIME ZONE 'UTC') AS this_week,
       generate_series(this_week, this_week + make_interval(weeks => weeks_ahead), interval '1 week') AS week
  ORDER BY week;
$$;

-- The statement that creates the same function in the schema socialsync.
CREATE OR REPLACE FUNCTION pg_temp.copied(function regprocedure) RETURNS text LANGUAGE sql AS $$
  SELECT regexp_replace(pg_get_functiondef(function), ' pg_temp(_\d+)?\.', ' socialsync.') || ';';
$$;

-- Creates functions and revokes their default privileges in one transaction.
CREATE OR REPLACE FUNCTION pg_temp.partition_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $steps$
  SELECT * FROM pg_temp.definition_step('function.partitions', 'functions for partitions and retention',
    '{"socialsync.lock_for_partition_change(text[], boolean)",
      "socialsync.create_partition(text, timestamp without time zone)",
      "socialsync.add_partition(text, timestamp without time zone)", socialsync.weekly_partitions(),
      "socialsync.wanted_partitions(integer, timestamp with time zone)",
      "socialsync.delete_expired(timestamp with time zone)", "socialsync.maintain_partitions(integer, integer)",
      socialsync.wanted_attempt_partitions(integer), "socialsync.maintain_attempts(integer, integer)",
      socialsync.leave_room_for_updates(),
      socialsync.readable(bytea)}', '{}',
    pg_temp.copied('pg_temp.wanted_partitions(integer, timestamptz)')
    || pg_temp.copied('pg_temp.wanted_attempt_partitions(integer)') || $sql$
-- Takes the locks for a change of partitions. Waits at most 50 ms for each, because other sessions queue behind it; the
-- application's tables come last, so that their lock waits for no other. Dropping a partition blocks every query of
-- webhook_logs; adding one blocks only inserts into the default partition, whose rows would move during the insert.
CREATE OR REPLACE FUNCTION socialsync.lock_for_partition_change(to_drop text[], stop_inserts boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '60s' AS $$
DECLARE
  name text;
BEGIN
  FOR attempt IN 1..100 LOOP
    BEGIN
      -- Evicts autovacuum, within a second, before other sessions queue behind the strong lock.
      PERFORM set_config('lock_timeout', '1500ms', true);
      LOCK TABLE ONLY public.webhook_logs, socialsync.webhook_logs_default IN SHARE UPDATE EXCLUSIVE MODE;
      PERFORM set_config('lock_timeout', '50ms', true);
      IF to_drop <> '{}' THEN
        LOCK TABLE ONLY public.webhook_logs IN ACCESS EXCLUSIVE MODE;
      ELSIF stop_inserts THEN
        LOCK TABLE ONLY public.webhook_logs IN SHARE ROW EXCLUSIVE MODE;
      END IF;
      FOREACH name IN ARRAY to_drop LOOP
        EXECUTE format('LOCK TABLE socialsync.%I IN ACCESS EXCLUSIVE MODE', name);
      END LOOP;
      LOCK TABLE socialsync.webhook_logs_default IN ACCESS EXCLUSIVE MODE;
      -- A new partition has the foreign keys too.
      FOREACH name IN ARRAY ARRAY['public.users', 'public.social_accounts'] LOOP
        IF has_table_privilege(name, 'UPDATE') THEN
          EXECUTE format('LOCK TABLE ONLY %s IN SHARE ROW EXCLUSIVE MODE', name);
        END IF;
      END LOOP;
      RETURN;
    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
      PERFORM pg_sleep(0.1 + random() * 0.4);
    END;
  END LOOP;
  RAISE lock_not_available USING MESSAGE = 'no lock to change the partitions of webhook_logs: call again later';
END $$;

-- Creates the partition for the week that begins on `monday` (UTC): as a separate table without privileges, moves its rows
-- from the default partition, then attaches it. CREATE TABLE … PARTITION OF would block every query. Returns the number of
-- moved rows.
CREATE OR REPLACE FUNCTION socialsync.create_partition(name text, monday timestamp) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  first_id uuid := socialsync.first_log_id(monday AT TIME ZONE 'UTC');
  end_id   uuid := socialsync.first_log_id((monday + interval '1 week') AT TIME ZONE 'UTC');
  moved    bigint;
BEGIN
  EXECUTE format('CREATE TABLE socialsync.%I (LIKE public.webhook_logs INCLUDING ALL)', name);
  EXECUTE format('ALTER TABLE socialsync.%I ENABLE ROW LEVEL SECURITY', name);
  EXECUTE format('REVOKE ALL ON socialsync.%I FROM PUBLIC, anon, authenticated', name);
  EXECUTE format('WITH moved AS (DELETE FROM socialsync.webhook_logs_default WHERE id >= $1 AND id < $2 RETURNING *) '
                 'INSERT INTO socialsync.%I SELECT * FROM moved', name) USING first_id, end_id;
  GET DIAGNOSTICS moved = ROW_COUNT;
  EXECUTE format('ALTER TABLE public.webhook_logs ATTACH PARTITION socialsync.%I FOR VALUES FROM (%L) TO (%L)',
                 name, first_id, end_id);
  RETURN moved;
END $$;

-- Creates one partition under its own locks. Returns the action for the report.
CREATE OR REPLACE FUNCTION socialsync.add_partition(name text, monday timestamp) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
  moved bigint;
BEGIN
  -- Events of a week that has begun without a partition go to the default partition.
  PERFORM socialsync.lock_for_partition_change('{}', stop_inserts => monday <= now() AT TIME ZONE 'UTC');
  IF to_regclass('socialsync.' || name) IS NOT NULL THEN
    RETURN 'found';
  END IF;
  moved := socialsync.create_partition(name, monday);
  RETURN 'created' || CASE WHEN moved > 0 THEN format(' with %s rows of the default partition', moved) ELSE '' END;
END $$;

-- The existing weekly partitions: name, and the end of the week.
CREATE OR REPLACE FUNCTION socialsync.weekly_partitions() RETURNS TABLE (name text, ends_at timestamptz)
LANGUAGE sql STABLE AS $$
  SELECT c.relname, (to_date(right(c.relname, 8), 'YYYYMMDD') + interval '1 week') AT TIME ZONE 'UTC'
  FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
  WHERE i.inhparent = 'public.webhook_logs'::regclass AND c.relname ~ '^webhook_logs_p\d{8}$';
$$;

-- Deletes expired rows outside of dropped partitions.
CREATE OR REPLACE FUNCTION socialsync.delete_expired(keep_from timestamptz)
RETURNS TABLE (action text, partition text) LANGUAGE plpgsql AS $$
DECLARE
  deleted bigint;
BEGIN
  DELETE FROM socialsync.webhook_event_keys WHERE seen_at < now() - interval '8 days';
  -- Deliveries queued while their endpoint was being removed. Visits endpoint after endpoint by the index.
  WITH RECURSIVE of AS (
    (SELECT d.endpoint_id FROM public.webhook_deliveries AS d ORDER BY d.endpoint_id LIMIT 1)
    UNION ALL
    SELECT next.endpoint_id FROM of, LATERAL (SELECT d.endpoint_id FROM public.webhook_deliveries AS d
                                              WHERE d.endpoint_id > of.endpoint_id ORDER BY d.endpoint_id LIMIT 1) AS next)
  DELETE FROM public.webhook_deliveries AS d USING of
  WHERE d.endpoint_id = of.endpoint_id AND NOT EXISTS (SELECT FROM public.webhook_endpoints AS e WHERE e.id = of.endpoint_id);
  IF keep_from IS NULL THEN
    RETURN;
  END IF;
  DELETE FROM public.webhook_deliveries WHERE event_id < socialsync.first_log_id(keep_from);
  GET DIAGNOSTICS deleted = ROW_COUNT;
  RETURN QUERY SELECT format('deleted %s rows', deleted), 'public.webhook_deliveries' WHERE deleted > 0;
  DELETE FROM public.webhook_quarantine WHERE created_at < keep_from;
  GET DIAGNOSTICS deleted = ROW_COUNT;
  RETURN QUERY SELECT format('deleted %s rows', deleted), 'public.webhook_quarantine' WHERE deleted > 0;
  DELETE FROM socialsync.webhook_logs_default WHERE created_at < keep_from;
  GET DIAGNOSTICS deleted = ROW_COUNT;
  RETURN QUERY SELECT format('deleted %s rows', deleted), 'socialsync.webhook_logs_default' WHERE deleted > 0;
END $$;

-- Maintains the partitions of webhook_delivery_attempts: creates the coming ones, drops those whose week ended 30 days ago
-- (or retention_days, if less), and deletes older rows of the default partition. Waits at most 50 ms for a lock, because
-- other sessions queue behind it. SECURITY DEFINER: partitions belong to the owner of their table.
CREATE OR REPLACE FUNCTION socialsync.maintain_attempts(weeks_ahead integer, retention_days integer)
RETURNS TABLE (action text, partition text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '50ms' AS $$
DECLARE
  keep_from timestamptz := now() - make_interval(days => least(coalesce(retention_days, 30), 30));
  wanted    record;
  deleted   bigint;
BEGIN
  FOR wanted IN
    SELECT 'created' AS action, w.name, format(
        'CREATE TABLE socialsync.%1$I (LIKE public.webhook_delivery_attempts INCLUDING ALL); '
        'ALTER TABLE socialsync.%1$I ENABLE ROW LEVEL SECURITY; '
        'REVOKE ALL ON socialsync.%1$I FROM PUBLIC, anon, authenticated; '
        'LOCK TABLE socialsync.webhook_delivery_attempts_default IN ACCESS EXCLUSIVE MODE; '
        'WITH moved AS (DELETE FROM socialsync.webhook_delivery_attempts_default '
        'WHERE attempted_at >= %2$L AND attempted_at < %3$L RETURNING *) INSERT INTO socialsync.%1$I SELECT * FROM moved; '
        'ALTER TABLE public.webhook_delivery_attempts ATTACH PARTITION socialsync.%1$I FOR VALUES FROM (%2$L) TO (%3$L)',
        w.name, w.monday AT TIME ZONE 'UTC', (w.monday + interval '1 week') AT TIME ZONE 'UTC') AS statement
    FROM socialsync.wanted_attempt_partitions(weeks_ahead) AS w WHERE to_regclass('socialsync.' || w.name) IS NULL
    UNION ALL
    SELECT 'dropped', c.relname, format('DROP TABLE socialsync.%I', c.relname)
    FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'public.webhook_delivery_attempts'::regclass AND c.relname ~ '_p\d{8}$'
      AND (to_date(right(c.relname, 8), 'YYYYMMDD') + interval '1 week') AT TIME ZONE 'UTC' <= keep_from
  LOOP
    FOR attempt IN 1..100 LOOP
      BEGIN
        LOCK TABLE ONLY public.webhook_delivery_attempts IN SHARE UPDATE EXCLUSIVE MODE;
        -- Another session may have done it.
        EXIT WHEN (to_regclass('socialsync.' || wanted.name) IS NULL) <> (wanted.action = 'created');
        EXECUTE wanted.statement;
        action := wanted.action;
        partition := 'socialsync.' || wanted.name;
        RETURN NEXT;
        EXIT;
      EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
        PERFORM pg_sleep(0.1 + random() * 0.2);
      END;
    END LOOP;
  END LOOP;
  BEGIN
    DELETE FROM socialsync.webhook_delivery_attempts_default WHERE attempted_at < keep_from;
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN QUERY SELECT format('deleted %s rows', deleted), 'socialsync.webhook_delivery_attempts_default' WHERE deleted > 0;
  EXCEPTION WHEN lock_not_available THEN
    RETURN;  -- the next run does it
  END;
END $$;

-- Reserves half of each page where endpoints exist: a delivered event changes its status, and the new version of its row
-- then fits into the same page, without new index entries.
CREATE OR REPLACE FUNCTION socialsync.leave_room_for_updates() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '1500ms' AS $$
DECLARE
  name text;
BEGIN
  IF NOT EXISTS (SELECT FROM public.webhook_endpoints) THEN
    RETURN;
  END IF;
  FOR name IN
    SELECT c.relname FROM socialsync.weekly_partitions() AS p JOIN pg_class AS c ON c.relname = p.name
    WHERE c.relnamespace = 'socialsync'::regnamespace AND p.ends_at > now()
      AND NOT coalesce(c.reloptions::text LIKE '%fillfactor%', false)
  LOOP
    EXECUTE format('ALTER TABLE socialsync.%I SET (fillfactor = 50)', name);
  END LOOP;
EXCEPTION WHEN lock_not_available THEN
  RETURN;  -- the next run does it
END $$;

CREATE OR REPLACE FUNCTION socialsync.maintain_partitions(weeks_ahead integer DEFAULT 4,
                                                          retention_days integer DEFAULT NULL)
RETURNS TABLE (action text, partition text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
  keep_from timestamptz := now() - make_interval(days => retention_days);
  expired   text[];
  missing   timestamp;
  wanted    record;
BEGIN
  IF weeks_ahead IS NULL OR weeks_ahead NOT BETWEEN 0 AND 520 OR retention_days < 1 THEN
    RAISE invalid_parameter_value USING
      MESSAGE = 'weeks_ahead is 0 to 520, retention_days 1 or more, or null for no limit';
  END IF;
  RETURN QUERY SELECT * FROM socialsync.delete_expired(keep_from);

  PERFORM socialsync.leave_room_for_updates();

  expired := ARRAY(SELECT p.name FROM socialsync.weekly_partitions() AS p WHERE p.ends_at <= keep_from ORDER BY p.name);
  missing := (SELECT min(w.monday) FROM socialsync.wanted_partitions(weeks_ahead, keep_from) AS w
              WHERE to_regclass('socialsync.' || w.name) IS NULL);
  -- maintain_attempts() is a separate call: workers must not wait behind us while we wait for a reader of webhook_logs.
  IF expired = '{}' AND missing IS NULL THEN
    RETURN QUERY SELECT * FROM socialsync.maintain_attempts(weeks_ahead, retention_days);
    RETURN;
  END IF;
  -- Takes all locks at once, so that no session waits for us while we wait for another. Events of a week that has begun
  -- without a partition go to the default partition.
  PERFORM socialsync.lock_for_partition_change(expired, stop_inserts => missing <= now() AT TIME ZONE 'UTC');

  FOREACH partition IN ARRAY expired LOOP
    EXECUTE format('DROP TABLE IF EXISTS socialsync.%I', partition);
    partition := 'socialsync.' || partition;
    action := 'dropped';
    RETURN NEXT;
  END LOOP;
  FOR wanted IN SELECT * FROM socialsync.wanted_partitions(weeks_ahead, keep_from) LOOP
    partition := 'socialsync.' || wanted.name;
    CONTINUE WHEN to_regclass(partition) IS NOT NULL;
    action := socialsync.add_partition(wanted.name, wanted.monday);
    RETURN NEXT;
  END LOOP;
END $$;
COMMENT ON FUNCTION socialsync.maintain_partitions(integer, integer) IS
  'SocialSync Webhooks: makes the weekly partitions of webhook_logs from two weeks ago to weeks_ahead; with
retention_days drops partitions that are older as a whole, and deletes older rows of the default partition and of the
quarantine and of the outbox; partitions of webhook_delivery_attempts are kept for 30 days. The server calls it; without one let cron do it, hourly or daily, for example with pg_cron:
  SELECT cron.schedule(''webhook partitions'', ''17 * * * *'', ''SELECT socialsync.maintain_partitions(4, 90)'')';

-- A body as text; bytes that are not UTF-8 as \ooo.
CREATE OR REPLACE FUNCTION socialsync.readable(body bytea) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  middle integer := length(body) / 2;
BEGIN
  RETURN convert_from(body, 'UTF8');
EXCEPTION WHEN character_not_in_repertoire OR untranslatable_character THEN
  IF length(body) <= 32 THEN
    RETURN encode(body, 'escape');
  END IF;
  -- Does not split a character: its continuation bytes are 10xxxxxx.
  WHILE middle < length(body) - 1 AND (get_byte(body, middle) & 192) = 128 LOOP
    middle := middle + 1;
  END LOOP;
  RETURN socialsync.readable(substring(body FROM 1 FOR middle)) || socialsync.readable(substring(body FROM middle + 1));
END $$;
COMMENT ON FUNCTION socialsync.readable(bytea) IS
  'SocialSync Webhooks: a body as text; bytes that are not UTF-8 as \ooo';

REVOKE ALL ON FUNCTION
  socialsync.lock_for_partition_change(text[], boolean), socialsync.create_partition(text, timestamp),
  socialsync.add_partition(text, timestamp),
  socialsync.weekly_partitions(), socialsync.wanted_partitions(integer, timestamptz),
  socialsync.delete_expired(timestamptz), socialsync.maintain_partitions(integer, integer),
  socialsync.wanted_attempt_partitions(integer), socialsync.maintain_attempts(integer, integer),
  socialsync.leave_room_for_updates(), socialsync.readable(bytea)
  FROM PUBLIC, anon, authenticated;
GRANT EXECUTE ON FUNCTION socialsync.readable(bytea), socialsync.maintain_partitions(integer, integer) TO service_role;
$sql$);
$steps$;

-- ---------------------------------------------------------------------------------------------------------------
-- Columns that stay: restores the values from before backfill

-- Restores the values of one column that one run replaced, where the account still has the value written by that run.
-- Reports all other accounts.
CREATE OR REPLACE FUNCTION pg_temp.put_back(of_run text, name text, type text) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
  joined   text := format('socialsync.backfill_preimages AS p WHERE p.run = %L AND p.column_name = %L AND a.id = p.id '
                          'AND p.old_value IS DISTINCT FROM a.%I::text AND p.written', of_run, name, name);
  written  text := format('sha256(convert_to(a.%I::text, ''UTF8''))', name);
  restored bigint;
  changed  text;
BEGIN
  EXECUTE format('SELECT string_agg(a.id::text, '', '' ORDER BY a.id) FROM public.social_accounts AS a, %s '
                 'IS DISTINCT FROM %s', joined, written) INTO changed;
  -- Restores the role's search_path for the application's triggers.
  EXECUTE format('UPDATE public.social_accounts AS a SET %I = p.old_value::%s FROM %s = %s AND (SELECT '
                 'set_config(''search_path'', reset_val, true) FROM pg_settings WHERE name = ''search_path'') IS NOT NULL',
                 name, type, joined, written);
  GET DIAGNOSTICS restored = ROW_COUNT;
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  IF restored > 0 THEN
    RETURN NEXT format('  done   %s value(s) of %s restored that run %s replaced', restored, name, of_run);
  END IF;
  IF changed IS NOT NULL THEN
    RETURN NEXT format('  stays  %s of these accounts, since it changed after run %s: %s', name, of_run, changed);
  END IF;
EXCEPTION WHEN integrity_constraint_violation OR data_exception OR raise_exception THEN
  RETURN NEXT format('  stays  the values of %s that run %s wrote: %s', name, of_run, SQLERRM);
END $$;

-- Newest run first: it may have replaced values of an older run.
CREATE OR REPLACE FUNCTION pg_temp.put_back_values() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  replaced record;
BEGIN
  IF to_regclass('socialsync.backfill_preimages') IS NULL THEN
    RETURN;
  END IF;
  SET CONSTRAINTS ALL IMMEDIATE;  -- pending deferred triggers prevent ALTER TABLE
  FOR replaced IN
    SELECT p.run, p.column_name, format_type(a.atttypid, a.atttypmod) AS type
    FROM socialsync.backfill_preimages AS p
    JOIN pg_attribute AS a ON a.attrelid = 'public.social_accounts'::regclass AND a.attname = p.column_name
                          AND NOT a.attisdropped
    WHERE p.column_name NOT IN (SELECT name FROM pg_temp.our_columns())
    GROUP BY 1, 2, 3 ORDER BY max(p.at) DESC, p.run DESC, p.column_name
  LOOP
    RETURN QUERY SELECT pg_temp.put_back(replaced.run, replaced.column_name, replaced.type);
  END LOOP;
END $$;

CREATE OR REPLACE FUNCTION pg_temp.is_encrypted(value text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT strpos(value, 'enc:v1:') > 0 AND value ~ '(^|,)\s*enc:v1:[0-9a-f]{8}:';
$$;

-- Counts encrypted values in one scan of all accounts, whatever the type of the columns.
CREATE OR REPLACE FUNCTION pg_temp.encrypted_in_columns_that_stay(secrets text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  counts text;
  found  text;
BEGIN
  SELECT string_agg(format('nullif(count(*) FILTER (WHERE pg_temp.is_encrypted(%1$I::text)), 0) || %2$L', attname,
                           ' of ' || attname), ', ' ORDER BY attnum)
  INTO counts FROM pg_attribute
  WHERE attrelid = to_regclass('public.social_accounts') AND NOT attisdropped AND attname = ANY (secrets)
    AND attname NOT IN (SELECT name FROM pg_temp.our_columns()) AND has_column_privilege(attrelid, attnum, 'SELECT');
  IF counts IS NOT NULL THEN
    EXECUTE format('SELECT concat_ws(%L, %s) FROM public.social_accounts', ', ', counts) INTO found;
  END IF;
  RETURN nullif(found, '');
END $$;

-- Neither the application nor an earlier version of ours could read encrypted secrets in columns that stay. Secrets of
-- endpoints are dropped with their table. Called before any lock, because it reads every account; the gateway encrypts
-- nothing while the run lock is held.
CREATE OR REPLACE FUNCTION pg_temp.refuse_encrypted_values() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  secrets text[] := ARRAY['app_secret', 'verify_token', 'access_token', 'refresh_token'];
  found   text   := pg_temp.encrypted_in_columns_that_stay(secrets);
BEGIN
  IF found IS NOT NULL THEN
    RAISE object_not_in_prerequisite_state USING MESSAGE = format(
      'encrypted values (%s) in columns that stay. Run first: socialsync secrets decrypt. Nothing was changed', found);
  END IF;
  IF to_regclass('socialsync.backfill_preimages') IS NULL
     OR NOT has_table_privilege(to_regclass('socialsync.backfill_preimages'), 'SELECT') THEN
    RETURN;
  END IF;
  SELECT run INTO found FROM socialsync.backfill_preimages
  WHERE pg_temp.is_encrypted(old_value) AND column_name = ANY (secrets)
    AND column_name NOT IN (SELECT name FROM pg_temp.our_columns()) LIMIT 1;
  IF found IS NOT NULL THEN
    RAISE object_not_in_prerequisite_state USING MESSAGE = format(
      'backfill run %1$s replaced encrypted values of a column that stays. Run first: socialsync migrate backfill --undo %1$s, '
      'then socialsync secrets decrypt. Nothing was changed', found);
  END IF;
END $$;

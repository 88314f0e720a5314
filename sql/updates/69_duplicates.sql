-- ---------------------------------------------------------------------------------------------------------------
-- Quarantines accounts that share a phone number or page, when the operator asks for it

-- Creates the table of replaced values, which undo and rollback restore; `written` is a digest of the new value. Revokes
-- default privileges.
CREATE OR REPLACE FUNCTION pg_temp.make_backfill_preimages() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  owner text := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'public.social_accounts'::regclass);
  role  text;
BEGIN
  IF to_regclass('socialsync.backfill_preimages') IS NOT NULL THEN
    RETURN;
  END IF;
  CREATE TABLE socialsync.backfill_preimages (
    run         text,
    id          uuid,
    column_name text,
    old_value   text,
    written     bytea NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run, id, column_name)
  );
  COMMENT ON TABLE socialsync.backfill_preimages IS
    'SocialSync Webhooks: values replaced by backfill, for migrate backfill --undo and rollback; includes secrets';
  IF owner <> current_user THEN
    EXECUTE format('ALTER TABLE socialsync.backfill_preimages OWNER TO %I', owner);
  END IF;
  REVOKE ALL ON socialsync.backfill_preimages FROM PUBLIC;
  FOR role IN SELECT DISTINCT pg_get_userbyid(grantee) FROM pg_class, aclexplode(relacl)
              WHERE oid = 'socialsync.backfill_preimages'::regclass AND grantee NOT IN (0, relowner) LOOP
    EXECUTE format('REVOKE ALL ON socialsync.backfill_preimages FROM %I', role);
  END LOOP;
END $$;

-- Leaves a shared value to one account, the oldest active one, so that claiming an existing number later is of no use. All
-- other accounts get a unique value that no webhook has, and webhook_status 'error'; their values are stored under the name
-- of the run (the setting socialsync.run). No account keeps an empty text. Returns a line for each changed account.
CREATE OR REPLACE FUNCTION pg_temp.quarantine_duplicates(column_name text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  this_run text := coalesce(nullif(current_setting('socialsync.run', true), ''), gen_random_uuid()::text);
BEGIN
  PERFORM pg_temp.make_backfill_preimages();
  PERFORM set_config('lock_timeout', '100ms', true);
  RETURN QUERY EXECUTE format($sql$
    WITH claims AS (
      SELECT id, %1$I AS value, count(*) OVER (PARTITION BY %1$I) AS claims, row_number() OVER by_age AS place,
             first_value(id) OVER by_age AS keeper
      FROM public.social_accounts WHERE %1$I IS NOT NULL
      WINDOW by_age AS (PARTITION BY %1$I ORDER BY is_active IS TRUE DESC, created_at, id)
    ), losers AS MATERIALIZED (
      SELECT a.id, c.value, a.webhook_status, CASE WHEN c.value <> '' THEN c.keeper END AS keeper
      FROM claims AS c JOIN public.social_accounts AS a ON a.id = c.id AND a.%1$I = c.value
      WHERE c.claims > 1 AND (c.place > 1 OR c.value = '')
        -- Restores the role's search_path for the application's triggers.
        AND (SELECT set_config('search_path', reset_val, true) FROM pg_settings WHERE name = 'search_path') IS NOT NULL
      FOR NO KEY UPDATE OF a
    ), changed AS (
      UPDATE public.social_accounts AS a SET %1$I = 'duplicate:' || l.id, webhook_status = 'error'
      FROM losers AS l WHERE a.id = l.id
    ), saved AS (
      INSERT INTO socialsync.backfill_preimages (run, id, column_name, old_value, written)
      SELECT $1, id, $2, value, sha256(convert_to('duplicate:' || id, 'UTF8')) FROM losers
      UNION ALL
      SELECT $1, id, 'webhook_status', webhook_status, sha256('error') FROM losers
      WHERE webhook_status IS DISTINCT FROM 'error'
      -- The application may have set the value again before the index existed.
      ON CONFLICT (run, id, column_name) DO UPDATE SET old_value = excluded.old_value
    )
    SELECT format('account %%s loses %%s %%L%%s', id, $2, value, ', which account ' || keeper || ' keeps')
    FROM losers ORDER BY value, id LIMIT 100$sql$, column_name) USING this_run, column_name;
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  RETURN QUERY
    SELECT format('these are the first 100 of %s account(s): SELECT id, old_value FROM socialsync.backfill_preimages '
                  'WHERE run = %L AND column_name = %L', count(*), this_run, $1)
    FROM socialsync.backfill_preimages AS p WHERE p.run = this_run AND p.column_name = $1
    HAVING count(*) > 100;
  RETURN NEXT format('to restore these values: socialsync migrate backfill --undo %s', this_run);
END $$;

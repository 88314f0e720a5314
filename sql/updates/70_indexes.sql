-- ---------------------------------------------------------------------------------------------------------------
-- Unique indexes: one account for each phone number and each page

-- Raises data_blocks with the names of accounts that share a value. When the setting socialsync.duplicates is `quarantine`,
-- calls quarantine_duplicates() instead.
CREATE OR REPLACE FUNCTION pg_temp.require_distinct(column_name text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  doubles text := (SELECT string_agg('  ' || d, E'\n') FROM pg_temp.duplicates(column_name) AS d);
BEGIN
  IF doubles IS NULL THEN
    RETURN;
  ELSIF current_setting('socialsync.duplicates', true) = 'quarantine' THEN
    RETURN QUERY SELECT pg_temp.quarantine_duplicates(column_name);
  ELSE
    PERFORM pg_temp.data_blocks(format(
      E'%s decides which account receives a webhook: keep it on one account, then run this again.\n%s', column_name, doubles));
  END IF;
END $$;

-- An interrupted build leaves an invalid index, which IF NOT EXISTS would accept; an interrupted REINDEX leaves one named
-- _ccnew. CONCURRENTLY blocks no session, and waits for older transactions.
CREATE OR REPLACE FUNCTION pg_temp.index_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $$
  SELECT 'index.' || i.column_name || '.leftover' || coalesce(substring(x.indexrelid::regclass::text FROM '_ccnew.*'), ''),
         format('drop of invalid index %s', c.relname), 'SHARE UPDATE EXCLUSIVE',
         '{public.social_accounts}'::text[], true, false, NULL,
         format('DROP INDEX CONCURRENTLY %s', x.indexrelid::regclass), NULL, 'left by an interrupted build'
  FROM pg_temp.unique_indexes() AS i
  JOIN pg_class AS c ON c.relnamespace = 'public'::regnamespace AND c.relname ~ ('^' || i.name || '(_ccnew\d*)?$')
  JOIN pg_index AS x ON x.indexrelid = c.oid AND NOT x.indisvalid
                    AND x.indrelid = to_regclass('public.social_accounts')
  UNION ALL
  SELECT 'index.' || i.column_name, 'index ' || i.name, 'SHARE UPDATE EXCLUSIVE', '{public.social_accounts}', true,
         coalesce(x.indisvalid, false), format('SELECT pg_temp.require_distinct(%L)', i.column_name),
         replace(i.definition, ' INDEX ', ' INDEX CONCURRENTLY '), NULL, NULL
  FROM pg_temp.unique_indexes() AS i LEFT JOIN pg_index AS x ON x.indexrelid = to_regclass('public.' || i.name);
$$;

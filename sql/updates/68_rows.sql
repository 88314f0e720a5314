-- ---------------------------------------------------------------------------------------------------------------
-- Rows that block a step, and accounts that no webhook could reach

-- Counts the rows of one kind and names the first twenty.
CREATE OR REPLACE FUNCTION pg_temp.rows_of_kind(of_kind text, what text, condition text) RETURNS TABLE (kind text, found text)
LANGUAGE plpgsql AS $$
DECLARE
  accounts bigint;
  named    text;
BEGIN
  EXECUTE 'SELECT count(*) FROM public.social_accounts AS a WHERE ' || condition INTO accounts;
  IF accounts > 0 THEN
    EXECUTE 'SELECT string_agg(id::text, '', '' ORDER BY id) FROM (SELECT a.id FROM public.social_accounts AS a WHERE '
            || condition || ' LIMIT 20) AS first' INTO named;
    RETURN QUERY SELECT of_kind, format('%s account(s) %s: %s%s', accounts, what, named,
                                                  CASE WHEN accounts > 20 THEN ', …' END);
  END IF;
END $$;

-- Accounts that share a value: one line for each value, at most twenty lines with twenty accounts each.
CREATE OR REPLACE FUNCTION pg_temp.duplicates(column_name text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format(
    'SELECT format(''%1$s %%s is the same for accounts %%s%%s'', coalesce(nullif(%1$I, ''''), ''''''''''''),
                   string_agg(id::text, '', '' ORDER BY id) FILTER (WHERE place <= 20),
                   CASE WHEN count(*) > 20 THEN format('', … (%%s in all)'', count(*)) END)
     FROM (SELECT id, %1$I, row_number() OVER (PARTITION BY %1$I ORDER BY id) AS place
           FROM public.social_accounts WHERE %1$I IS NOT NULL) AS claims
     GROUP BY %1$I HAVING count(*) > 1 ORDER BY %1$I LIMIT 20',
    column_name);
END $$;

-- The routing key of each platform, and the objects that already guarantee valid rows.
CREATE OR REPLACE FUNCTION pg_temp.routing_keys()
RETURNS TABLE (name text, platforms text[], is_there boolean, is_unique boolean, is_given boolean) LANGUAGE sql AS $$
  SELECT k.name, k.platforms, a.attname IS NOT NULL, coalesce(i.indisvalid, false), coalesce(c.convalidated, false)
  FROM (VALUES ('phone_number_id', ARRAY['whatsapp', 'whatsapp_business'], 'social_accounts_whatsapp_has_phone_number_id'),
               ('page_id', ARRAY['instagram'], 'social_accounts_instagram_has_page_id')) AS k (name, platforms, given_by)
  LEFT JOIN pg_attribute AS a ON a.attrelid = to_regclass('public.social_accounts') AND a.attname = k.name
                             AND NOT a.attisdropped
  LEFT JOIN pg_index AS i ON i.indexrelid = to_regclass('public.idx_social_accounts_' || k.name) AND i.indisunique
                         AND i.indrelid = to_regclass('public.social_accounts')
  LEFT JOIN pg_constraint AS c ON c.conrelid = to_regclass('public.social_accounts') AND c.conname = k.given_by;
$$;

-- All blocking rows; `kind` is lacking, empty, duplicate or orphan. Scans social_accounts several times.
CREATE OR REPLACE FUNCTION pg_temp.blocking_rows() RETURNS TABLE (kind text, found text) LANGUAGE plpgsql AS $$
DECLARE
  key record;
BEGIN
  IF to_regclass('public.social_accounts') IS NULL OR to_regclass('public.users') IS NULL THEN
    RETURN;
  END IF;
  FOR key IN SELECT * FROM pg_temp.routing_keys() LOOP
    IF NOT key.is_given THEN
      RETURN QUERY SELECT r.* FROM unnest(key.platforms) AS p, pg_temp.rows_of_kind('lacking',
        format('of platform %s have no %s', p, key.name),
        format('a.platform::text = %L', p) || CASE WHEN key.is_there THEN format(' AND a.%I IS NULL', key.name) ELSE '' END)
        AS r;
    END IF;
    IF key.is_there THEN
      RETURN QUERY SELECT * FROM pg_temp.rows_of_kind('empty', format('have the empty text as their %s', key.name),
                                                      format('a.%I = ''''', key.name));
    END IF;
    IF key.is_there AND NOT key.is_unique THEN
      RETURN QUERY SELECT 'duplicate', d FROM pg_temp.duplicates(key.name) AS d;
    END IF;
  END LOOP;
  RETURN QUERY SELECT * FROM pg_temp.rows_of_kind('orphan', 'belong to a user that does not exist, so their webhooks '
    'cannot be logged', 'NOT EXISTS (SELECT FROM public.users AS u WHERE u.id = a.user_id)');
END $$;

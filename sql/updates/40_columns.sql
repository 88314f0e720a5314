-- ---------------------------------------------------------------------------------------------------------------
-- social_accounts: columns

CREATE OR REPLACE FUNCTION pg_temp.column_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $$
  -- One ALTER for all: each makes every prepared SELECT * fail until it is prepared again.
  SELECT 'columns', 'columns of social_accounts', 'ACCESS EXCLUSIVE', '{public.social_accounts}'::text[],
         false, missing IS NULL AND to_regclass('public.social_accounts') IS NOT NULL, NULL,
         'ALTER TABLE public.social_accounts ' || missing, NULL, format('%s of 11 columns; nothing is rewritten', count)
  FROM (SELECT string_agg(format('ADD COLUMN %I %s%s', n.name, n.type, ' DEFAULT ' || n.default_value), ', '), count(*)
        FROM pg_temp.new_columns() AS n
        WHERE NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('public.social_accounts')
                          AND attname = n.name AND NOT attisdropped)) AS columns (missing, count)
  UNION ALL
  -- For columns that existed before the update.
  SELECT 'defaults', 'defaults of social_accounts', 'ACCESS EXCLUSIVE', '{public.social_accounts}', false,
         missing IS NULL, NULL, 'ALTER TABLE public.social_accounts ' || missing, NULL, NULL
  FROM (SELECT string_agg(format('ALTER COLUMN %I SET DEFAULT %s', n.name, n.default_value), ', ')
        FROM pg_temp.new_columns() AS n JOIN pg_attribute AS a ON a.attname = n.name AND NOT a.attisdropped
        WHERE a.attrelid = to_regclass('public.social_accounts') AND n.default_value IS NOT NULL AND NOT a.atthasdef)
       AS columns (missing);
$$;

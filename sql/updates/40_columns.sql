-- ---------------------------------------------------------------------------------------------------------------
-- social_accounts: columns

-- All in one ALTER: each one makes prepared SELECT * fail until they are prepared again, so let it be once.
SELECT pg_temp.step('columns of social_accounts', '{public.social_accounts}', missing IS NULL,
                    'ALTER TABLE public.social_accounts ' || missing)
FROM (SELECT string_agg(format('ADD COLUMN %I %s%s', n.name, n.type, ' DEFAULT ' || n.default_value), ', ')
      FROM pg_temp.new_columns() AS n
      WHERE NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'public.social_accounts'::regclass
                        AND attname = n.name AND NOT attisdropped)) AS columns (missing);

SELECT pg_temp.step('defaults of social_accounts', '{public.social_accounts}', missing IS NULL,
                    'ALTER TABLE public.social_accounts ' || missing)
FROM (SELECT string_agg(format('ALTER COLUMN %I SET DEFAULT %s', n.name, n.default_value), ', ')
      FROM pg_temp.new_columns() AS n JOIN pg_attribute AS a ON a.attname = n.name
      WHERE a.attrelid = 'public.social_accounts'::regclass AND n.default_value IS NOT NULL AND NOT a.atthasdef)
     AS columns (missing);

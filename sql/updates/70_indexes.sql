-- ---------------------------------------------------------------------------------------------------------------
-- One account for each phone number and each page

-- A build that was interrupted leaves an index that is not used, and IF NOT EXISTS would take for done.
SET lock_timeout = '5min';
SELECT format('DROP INDEX CONCURRENTLY public.%I', i.name),
       format('SELECT ''  gone   half-built index %s''', i.name)
FROM pg_temp.unique_indexes() AS i JOIN pg_index AS x ON x.indexrelid = to_regclass('public.' || i.name)
WHERE NOT x.indisvalid
\gexec

DO $$
DECLARE
  wanted record;
  doubles text;
BEGIN
  FOR wanted IN SELECT * FROM pg_temp.unique_indexes() WHERE to_regclass('public.' || name) IS NULL LOOP
    EXECUTE format('SELECT string_agg(format(''  %%s: accounts %%s'', value, accounts), E''\n'')
                    FROM (SELECT %1$I AS value, string_agg(id::text, '', '' ORDER BY id) AS accounts
                          FROM public.social_accounts WHERE %1$I IS NOT NULL
                          GROUP BY %1$I HAVING count(*) > 1 ORDER BY %1$I LIMIT 20) AS d', wanted.column_name)
      INTO doubles;
    IF doubles IS NOT NULL THEN
      RAISE unique_violation USING MESSAGE = format(
        E'%s is the same for several accounts, and decides whose a webhook is: keep it for one of them, then run '
        'this again.\n%s', wanted.column_name, doubles);
    END IF;
  END LOOP;
END $$;

-- Not in a function, where CONCURRENTLY is refused. It blocks nobody, and waits for older transactions.
SELECT replace(definition, ' INDEX ', ' INDEX CONCURRENTLY '), format('SELECT ''  made   index %s''', name)
FROM pg_temp.unique_indexes() WHERE to_regclass('public.' || name) IS NULL
\gexec
RESET lock_timeout;

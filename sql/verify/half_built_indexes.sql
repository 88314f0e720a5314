-- Invalid indexes left by an interrupted CREATE INDEX or REINDEX CONCURRENTLY: writes maintain them, queries ignore them.
SELECT CASE WHEN p.pid IS NULL THEN i.indisvalid AND c.relname !~ '_cc(new|old)\d*$' END AS ok,
       i.indexrelid::regclass || CASE WHEN p.pid IS NULL THEN ' is left over from a build that was interrupted'
                                      ELSE format(' is being built now (pid %s)', p.pid) END AS item,
       CASE WHEN p.pid IS NULL
            THEN format('DROP INDEX CONCURRENTLY %s, then run: socialsync migrate apply', i.indexrelid::regclass)
            ELSE 'wait until it is built, then verify again' END AS todo
FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
LEFT JOIN pg_stat_progress_create_index AS p ON p.index_relid = i.indexrelid
WHERE i.indrelid IN (SELECT to_regclass(t) FROM unnest(ARRAY['public.social_accounts', 'public.webhook_logs',
                                                             'public.webhook_quarantine', 'public.webhook_endpoints',
                                                             'public.webhook_deliveries',
                                                             'public.webhook_delivery_attempts']) AS t
                     UNION ALL
                     SELECT oid FROM pg_class WHERE relnamespace = to_regnamespace('socialsync'))

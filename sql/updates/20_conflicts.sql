-- ---------------------------------------------------------------------------------------------------------------
-- Before any change: objects with our names and other definitions

CREATE OR REPLACE FUNCTION pg_temp.column_conflicts() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT CASE WHEN a.attname IS NULL THEN format('column %s.%s is missing, wanted %s', n.tbl, n.name, n.types[1])
              ELSE format('column %s.%s is %s, wanted %s', n.tbl, n.name, format_type(a.atttypid, a.atttypmod),
                          array_to_string(n.types, ' or ')) END
  FROM pg_temp.needed_columns() AS n
  LEFT JOIN pg_attribute AS a
    ON a.attrelid = to_regclass(n.tbl) AND a.attname = n.name AND a.attnum > 0 AND NOT a.attisdropped
  WHERE to_regclass(n.tbl) IS NOT NULL
    AND (a.attname IS NULL OR (format_type(a.atttypid, a.atttypmod) <> ALL (n.types)
                               AND format_type(a.atttypid, NULL) <> ALL (n.types)))
  UNION ALL
  SELECT format('column public.social_accounts.%s is %s, wanted %s', n.name,
                format_type(a.atttypid, a.atttypmod) || coalesce(' default ' || d.value, ''),
                n.type || coalesce(' default ' || n.default_value, ''))
  FROM pg_temp.new_columns() AS n
  JOIN pg_attribute AS a
    ON a.attrelid = to_regclass('public.social_accounts') AND a.attname = n.name AND NOT a.attisdropped
  LEFT JOIN LATERAL (SELECT pg_get_expr(adbin, adrelid) AS value FROM pg_attrdef
                     WHERE adrelid = a.attrelid AND adnum = a.attnum) AS d ON true
  WHERE NOT (format_type(a.atttypid, a.atttypmod) = n.type
             -- Columns of secrets may be narrower: a short secret fits even when it is encrypted.
             OR n.name IN ('app_secret', 'verify_token') AND format_type(a.atttypid, NULL) = 'character varying'
                AND (a.atttypmod = -1 OR a.atttypmod >= 255 + 4))
     OR d.value <> coalesce(n.default_value, 'NULL') OR a.attnotnull OR a.attgenerated <> '';
$$;

CREATE OR REPLACE FUNCTION pg_temp.relation_conflicts() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT 'public.social_accounts exists, but public.users does not'
  WHERE to_regclass('public.social_accounts') IS NOT NULL AND to_regclass('public.users') IS NULL
  UNION ALL
  SELECT format('%s exists but is not a table partitioned by range (id): rename it, then run this again', oid::regclass)
  FROM pg_class WHERE oid = to_regclass('public.webhook_logs')
    AND (relkind <> 'p' OR pg_get_partkeydef(oid) <> 'RANGE (id)')
  UNION ALL
  SELECT format('%s exists but is not a table partitioned by range (attempted_at): rename it, then run this again',
                oid::regclass)
  FROM pg_class WHERE oid = to_regclass('public.webhook_delivery_attempts')
    AND (relkind <> 'p' OR pg_get_partkeydef(oid) <> 'RANGE (attempted_at)')
  UNION ALL
  SELECT format('%s exists but is not a plain table', oid::regclass)
  FROM pg_class WHERE oid = ANY (ARRAY[to_regclass('public.webhook_quarantine'), to_regclass('public.users'),
                                       to_regclass('public.webhook_endpoints'), to_regclass('public.webhook_deliveries'),
                                       to_regclass('public.social_accounts')]::oid[]) AND relkind NOT IN ('r', 'p')
  UNION ALL
  -- Rows of inheriting tables would have no foreign key, no unique id and no policy.
  SELECT format('public.social_accounts %s: this update supports only a plain table', why)
  FROM pg_class AS c, LATERAL (
    SELECT 'is partitioned' AS why WHERE c.relkind = 'p'
    UNION ALL
    SELECT 'inherits from ' || string_agg(inhparent::regclass::text, ', ') FROM pg_inherits WHERE inhrelid = c.oid
    HAVING count(*) > 0
    UNION ALL
    SELECT 'has children: ' || string_agg(inhrelid::regclass::text, ', ') FROM pg_inherits
    WHERE inhparent = c.oid AND c.relkind <> 'p' HAVING count(*) > 0
    UNION ALL
    SELECT 'is a table of type ' || c.reloftype::regtype WHERE c.reloftype <> 0) AS other
  WHERE c.oid = to_regclass('public.social_accounts')
  UNION ALL
  SELECT format('%s is not permanent (unlogged, or temporary): webhook_logs cannot refer to it', oid::regclass)
  FROM pg_class WHERE oid = ANY (ARRAY[to_regclass('public.users'), to_regclass('public.social_accounts')]::oid[])
    AND relpersistence <> 'p'
  UNION ALL
  SELECT format('%s exists and is not the view of this file: rename or drop it', oid::regclass)
  FROM pg_class
  WHERE oid = ANY (ARRAY[to_regclass('public.active_webhook_accounts'),
                         to_regclass('public.webhook_stats_by_user')]::oid[])
    AND NOT (relkind = 'v' AND pg_temp.is_ours(obj_description(oid, 'pg_class')))
  UNION ALL
  SELECT 'schema socialsync exists and was not made by this file: rename or drop it'
  FROM pg_namespace WHERE nspname = 'socialsync' AND NOT pg_temp.is_ours(obj_description(oid, 'pg_namespace'))
  UNION ALL
  SELECT format('%s has no primary or unique key on id alone', tbl::regclass)
  FROM unnest(ARRAY[to_regclass('public.users'), to_regclass('public.social_accounts'),
                    to_regclass('public.webhook_logs')]) AS tbl
  WHERE NOT EXISTS (SELECT FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = tbl AND a.attname = 'id'
                    WHERE i.indrelid = tbl AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
                      AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum) AND tbl IS NOT NULL;
$$;

CREATE OR REPLACE FUNCTION pg_temp.definition_conflicts() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT format('%s is %s, wanted %s', i.name, coalesce(pg_get_indexdef(x.indexrelid), 'another kind of object'),
                i.definition)
  FROM pg_temp.unique_indexes() AS i LEFT JOIN pg_index AS x ON x.indexrelid = to_regclass('public.' || i.name)
  WHERE to_regclass('public.' || i.name) IS NOT NULL
    AND pg_get_indexdef(x.indexrelid) IS DISTINCT FROM i.definition
  UNION ALL
  SELECT format('constraint %s is %s, wanted %s', k.name, pg_get_constraintdef(c.oid), k.definition)
  FROM pg_temp.account_checks() AS k
  JOIN pg_constraint AS c ON c.conrelid = to_regclass('public.social_accounts') AND c.conname = k.name
  WHERE replace(pg_get_constraintdef(c.oid), ' NOT VALID', '') <> k.definition
  UNION ALL
  SELECT format('policy %s on %s is %s FOR %s TO %s USING %s WITH CHECK %s, wanted %s FOR %s TO %s USING %s', p.name,
                p.tbl, have.permissive, have.cmd, have.roles, have.qual, have.with_check,
                p.kind, p.command, p.grantee, p.condition)
  FROM pg_temp.policies() AS p
  JOIN pg_policies AS have ON format('%s.%s', have.schemaname, have.tablename) = p.tbl AND have.policyname = p.name
  WHERE (have.permissive, have.cmd, have.roles, have.qual, have.with_check) IS DISTINCT FROM
        (p.kind, p.command, ARRAY[p.grantee]::name[], CASE WHEN p.command <> 'INSERT' THEN p.condition END,
         CASE WHEN p.command = 'INSERT' THEN p.condition END)
  UNION ALL
  SELECT format('trigger %s on public.social_accounts is %s', t.tgname, pg_get_triggerdef(t.oid))
  FROM pg_trigger AS t
  WHERE t.tgrelid = to_regclass('public.social_accounts') AND t.tgname = 'socialsync_accounts_changed'
    AND t.tgfoid IS DISTINCT FROM pg_temp.routine('socialsync.notify_accounts_changed()');
$$;

-- A second function of the same name would make calls ambiguous, so the name alone is a conflict.
CREATE OR REPLACE FUNCTION pg_temp.function_conflicts() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT format('function %s returning %s exists and is not the one of this file: rename or drop it',
                p.oid::regprocedure, pg_get_function_result(p.oid))
  FROM pg_proc AS p JOIN pg_temp.public_functions() AS f ON f.name = p.proname
  WHERE p.pronamespace = 'public'::regnamespace AND NOT pg_temp.is_ours(obj_description(p.oid, 'pg_proc'))
  UNION ALL
  SELECT format('function auth.uid() returns %s, wanted uuid', pg_get_function_result(oid))
  FROM pg_proc WHERE oid = pg_temp.routine('auth.uid()') AND prorettype <> 'uuid'::regtype
  UNION ALL
  SELECT format('type public.social_platform is missing, but social_accounts.platform is %s, wanted in schema public: '
                'ALTER TYPE %s SET SCHEMA public', t.oid::regtype, t.oid::regtype)
  FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
  WHERE a.attrelid = to_regclass('public.social_accounts') AND a.attname = 'platform' AND t.typname = 'social_platform'
    AND to_regtype('public.social_platform') IS NULL
  UNION ALL
  SELECT 'type public.social_platform is not an enum'
  FROM pg_type WHERE oid = to_regtype('public.social_platform') AND typtype <> 'e';
$$;

CREATE OR REPLACE FUNCTION pg_temp.conflicts() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT pg_temp.column_conflicts() UNION ALL SELECT pg_temp.relation_conflicts()
  UNION ALL SELECT pg_temp.definition_conflicts() UNION ALL SELECT pg_temp.function_conflicts();
$$;

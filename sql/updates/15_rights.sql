-- ---------------------------------------------------------------------------------------------------------------
-- Before anything changes: may we?

-- What makes the caller able to do all that this role can. Since PostgreSQL 16 each membership says for itself whether it
-- inherits, and whether one can become the role, which giving it things needs.
CREATE OR REPLACE FUNCTION pg_temp.grant_membership(owner oid) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN current_setting('server_version_num')::integer >= 160000
         THEN format('GRANT %I TO %I WITH INHERIT TRUE, SET TRUE', pg_get_userbyid(owner), current_user)
         ELSE concat_ws('; ', CASE WHEN NOT pg_has_role(owner, 'MEMBER')
                                   THEN format('GRANT %I TO %I', pg_get_userbyid(owner), current_user) END,
                        CASE WHEN NOT (SELECT rolinherit FROM pg_roles WHERE rolname = current_user)
                             THEN format('ALTER ROLE %I INHERIT', current_user) END) END;
$$;

CREATE OR REPLACE FUNCTION pg_temp.may_become(owner oid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT pg_has_role(owner, CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'SET'
                                 ELSE 'MEMBER' END);
$$;

-- Each right that is missing, with the statements that give it, if need be after a colon and before a parenthesis.
CREATE OR REPLACE FUNCTION pg_temp.missing_rights() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT format('to own %s %s: %s (or run this as %I)', lower(kind), name,
                CASE WHEN (SELECT rolsuper FROM pg_roles WHERE oid = owner)
                     THEN format('ALTER %s %s OWNER TO %I', kind, name, current_user)
                     ELSE pg_temp.grant_membership(owner) END, pg_get_userbyid(owner))
  FROM (SELECT 'TABLE' AS kind, oid::regclass::text AS name, relowner AS owner FROM pg_class
        WHERE oid = to_regclass('public.social_accounts')
        UNION ALL
        SELECT 'TYPE', oid::regtype::text, typowner FROM pg_type WHERE oid = to_regtype('public.social_platform')
        UNION ALL
        SELECT 'SCHEMA', nspname, nspowner FROM pg_namespace WHERE nspname = 'socialsync') AS owned
  WHERE NOT pg_has_role(owner, 'USAGE')
  UNION ALL
  SELECT format('to give what is made to the owner of %s: %s (or run this as %I)', oid::regclass,
                pg_temp.grant_membership(relowner), pg_get_userbyid(relowner))
  FROM pg_class
  WHERE oid = to_regclass('public.social_accounts') AND pg_has_role(relowner, 'USAGE')
    AND NOT pg_temp.may_become(relowner)
  UNION ALL
  SELECT format('GRANT CREATE, USAGE ON SCHEMA public TO %I', current_user)
  WHERE NOT has_schema_privilege('public', 'CREATE') OR NOT has_schema_privilege('public', 'USAGE')
  UNION ALL
  -- What an administrator or a member makes goes to the owner of social_accounts.
  SELECT format('GRANT CREATE ON SCHEMA public TO %I', pg_get_userbyid(relowner))
  FROM pg_class WHERE oid = to_regclass('public.social_accounts') AND relowner <> quote_ident(current_user)::regrole
    AND NOT has_schema_privilege(relowner, 'public', 'CREATE')
  UNION ALL
  SELECT format('GRANT SELECT ON public.users TO %I', pg_get_userbyid(relowner))
  FROM pg_class WHERE oid = to_regclass('public.social_accounts') AND to_regclass('public.users') IS NOT NULL
    AND relowner <> quote_ident(current_user)::regrole AND NOT has_table_privilege(relowner, 'public.users', 'SELECT')
  UNION ALL
  SELECT format('GRANT CREATE ON DATABASE %I TO %I', current_database(), current_user)
  WHERE NOT has_database_privilege(current_database(), 'CREATE')
    AND (to_regnamespace('socialsync') IS NULL OR to_regnamespace('auth') IS NULL)
  UNION ALL
  SELECT format('GRANT CREATE ON SCHEMA auth TO %I', current_user)
  WHERE to_regnamespace('auth') IS NOT NULL AND NOT has_schema_privilege('auth', 'CREATE')
    AND NOT EXISTS (SELECT FROM pg_proc WHERE pronamespace = to_regnamespace('auth') AND proname = 'uid')
  UNION ALL
  SELECT format('GRANT CREATE ON SCHEMA auth TO %I', pg_get_userbyid(relowner))
  FROM pg_class WHERE oid = to_regclass('public.social_accounts') AND relowner <> quote_ident(current_user)::regrole
    AND to_regnamespace('auth') IS NOT NULL AND NOT has_schema_privilege(relowner, 'auth', 'CREATE')
    AND pg_temp.routine('auth.uid()') IS NULL AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
  UNION ALL
  SELECT format('GRANT USAGE ON SCHEMA auth TO %I', current_user)
  WHERE to_regnamespace('auth') IS NOT NULL AND NOT has_schema_privilege('auth', 'USAGE')
  UNION ALL
  SELECT format('GRANT SELECT, REFERENCES ON public.users TO %I', current_user)
  WHERE to_regclass('public.users') IS NOT NULL
    AND NOT (has_table_privilege('public.users', 'SELECT') AND has_table_privilege('public.users', 'REFERENCES'))
  UNION ALL
  -- FORCE hides rows from the owner too: what cannot be seen cannot be checked, nor kept in a rollback. Partitions are made
  -- with the owner's rights, whoever runs this.
  SELECT DISTINCT format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY (or ALTER ROLE %I BYPASSRLS)', c.oid::regclass, r.rolname)
  FROM pg_class AS c JOIN pg_roles AS r ON r.rolname = current_user OR r.oid = c.relowner
  WHERE c.relforcerowsecurity AND (c.oid = to_regclass('public.users') OR c.oid IN (SELECT to_regclass(t) FROM pg_temp.walled_tables() AS t))
    AND NOT (r.rolsuper OR r.rolbypassrls)
  UNION ALL
  SELECT format('CREATE ROLE %I NOLOGIN (an administrator, or somebody with CREATEROLE)', wanted)
  FROM unnest(ARRAY['anon', 'authenticated', 'service_role']) AS wanted
  WHERE to_regrole(wanted) IS NULL
    AND NOT (SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user);
$$;

-- ---------------------------------------------------------------------------------------------------------------
-- Before any change: the privileges of the caller

-- The statement that gives the caller all privileges of a role. Since PostgreSQL 16 each membership has its own INHERIT
-- and SET options; SET is needed to make the role an owner.
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

-- Lists missing privileges with the statements that grant them, where needed after a colon and before a parenthesis.
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
  SELECT format('to make the owner of %s the owner of new objects: %s (or run this as %I)', oid::regclass,
                pg_temp.grant_membership(relowner), pg_get_userbyid(relowner))
  FROM pg_class
  WHERE oid = to_regclass('public.social_accounts') AND pg_has_role(relowner, 'USAGE')
    AND NOT pg_temp.may_become(relowner)
  UNION ALL
  SELECT format('GRANT CREATE, USAGE ON SCHEMA public TO %I', current_user)
  WHERE NOT has_schema_privilege('public', 'CREATE') OR NOT has_schema_privilege('public', 'USAGE')
  UNION ALL
  -- The owner of social_accounts becomes the owner of objects that an administrator or a member creates.
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
  -- FORCE hides rows from the owner too: the update could not check them, nor the rollback export them. Partitions are
  -- created with the privileges of the owner, whichever role runs this.
  SELECT DISTINCT format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY (or ALTER ROLE %I BYPASSRLS)', c.oid::regclass, r.rolname)
  FROM pg_class AS c JOIN pg_roles AS r ON r.rolname = current_user OR r.oid = c.relowner
  WHERE c.relforcerowsecurity AND (c.oid = to_regclass('public.users') OR c.oid IN (SELECT to_regclass(t) FROM pg_temp.walled_tables() AS t))
    AND NOT (r.rolsuper OR r.rolbypassrls)
  UNION ALL
  SELECT format('CREATE ROLE %I NOLOGIN (as an administrator, or a role with CREATEROLE)', wanted)
  FROM unnest(ARRAY['anon', 'authenticated', 'service_role']) AS wanted
  WHERE to_regrole(wanted) IS NULL
    AND NOT (SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user);
$$;

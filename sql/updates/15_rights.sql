-- ---------------------------------------------------------------------------------------------------------------
-- Before anything changes: may we?

-- Each right that is missing, with what gives it.
CREATE OR REPLACE FUNCTION pg_temp.missing_rights() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT format('to own %s (its owner %I, or a member of that role, runs this file)', what, pg_get_userbyid(owner))
  FROM (SELECT 'table ' || oid::regclass AS what, relowner AS owner FROM pg_class
        WHERE oid = to_regclass('public.social_accounts')
        UNION ALL
        SELECT 'type ' || oid::regtype, typowner FROM pg_type WHERE oid = to_regtype('public.social_platform')
        UNION ALL
        SELECT 'schema ' || nspname, nspowner FROM pg_namespace WHERE nspname = 'socialsync') AS owned
  WHERE NOT pg_has_role(owner, 'USAGE')
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
  SELECT format('GRANT USAGE ON SCHEMA auth TO %I', current_user)
  WHERE to_regnamespace('auth') IS NOT NULL AND NOT has_schema_privilege('auth', 'USAGE')
  UNION ALL
  SELECT format('GRANT SELECT, REFERENCES ON public.users TO %I', current_user)
  WHERE to_regclass('public.users') IS NOT NULL
    AND NOT (has_table_privilege('public.users', 'SELECT') AND has_table_privilege('public.users', 'REFERENCES'))
  UNION ALL
  -- FORCE hides rows from the owner too: what cannot be seen cannot be checked, nor kept in a rollback.
  SELECT format('ALTER ROLE %I BYPASSRLS, or ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', current_user, oid::regclass)
  FROM pg_class
  WHERE relforcerowsecurity AND oid IN (to_regclass('public.social_accounts'), to_regclass('public.users'),
                                        to_regclass('public.webhook_logs'), to_regclass('public.webhook_quarantine'))
    AND NOT (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user)
  UNION ALL
  SELECT format('CREATE ROLE %I NOLOGIN (an administrator, or somebody with CREATEROLE)', wanted)
  FROM unnest(ARRAY['anon', 'authenticated', 'service_role']) AS wanted
  WHERE to_regrole(wanted) IS NULL
    AND NOT (SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user);
$$;

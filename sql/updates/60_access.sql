-- ---------------------------------------------------------------------------------------------------------------
-- Who may see what: policies, then row-level security, then grants

-- Whom a table's privileges were given to, whole tables and columns: '' for a whole table.
CREATE OR REPLACE FUNCTION pg_temp.privileges(tbl regclass)
RETURNS TABLE (role text, privilege text, column_name text) LANGUAGE sql AS $$
  SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END, privilege_type, ''
  FROM pg_class, aclexplode(relacl) WHERE oid = tbl
  UNION
  SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END, privilege_type, attname
  FROM pg_attribute, aclexplode(attacl) WHERE attrelid = tbl AND NOT attisdropped;
$$;

-- Roles other than the owner and the web API's that have rights on social_accounts: an application's own, say.
-- Without a policy for them, row-level security would show them an empty table.
CREATE OR REPLACE FUNCTION pg_temp.application_roles() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(DISTINCT quote_ident(p.role), ', ')
  FROM pg_class AS c, pg_temp.privileges(c.oid) AS p
  WHERE c.oid = 'public.social_accounts'::regclass
    AND p.role NOT IN (pg_get_userbyid(c.relowner), 'PUBLIC', 'anon', 'authenticated', 'service_role');
$$;

-- A signed-in user that could write to social_accounts before row-level security was on still can: its own rows.
CREATE OR REPLACE FUNCTION pg_temp.policies_for_found_rights() RETURNS text LANGUAGE sql AS $$
  SELECT concat(
    'CREATE POLICY webhooks_application ON public.social_accounts TO ' || pg_temp.application_roles()
      || ' USING (true);',
    CASE WHEN has_any_column_privilege('authenticated', 'public.social_accounts', 'INSERT, UPDATE')
           OR has_table_privilege('authenticated', 'public.social_accounts', 'DELETE')
    THEN 'CREATE POLICY webhooks_own_writes ON public.social_accounts TO authenticated '
         'USING (user_id = (SELECT auth.uid()));' END)
  FROM pg_class WHERE oid = 'public.social_accounts'::regclass AND NOT relrowsecurity;
$$;

CREATE OR REPLACE FUNCTION pg_temp.missing_policies(for_table text) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(format('CREATE POLICY %I ON %s AS %s FOR %s TO %I USING %s;', p.name, p.tbl, p.kind, p.command,
                           p.grantee, '(' || p.condition || ')'), ' ')
  FROM pg_temp.policies() AS p
  WHERE p.tbl = for_table
    AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = for_table::regclass AND polname = p.name);
$$;

SELECT pg_temp.step('row-level security of ' || t, ARRAY[t],
  pg_temp.missing_policies(t) IS NULL AND (SELECT relrowsecurity FROM pg_class WHERE oid = t::regclass),
  concat(CASE t WHEN 'public.social_accounts' THEN pg_temp.policies_for_found_rights() END,
         pg_temp.missing_policies(t), format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t)))
FROM unnest(ARRAY['public.social_accounts', 'public.webhook_logs', 'public.webhook_quarantine']) AS t;

-- What `authenticated` may do with which column of social_accounts: read all but secrets, and write, where it could
-- write the table, what is not ours: an account's owner routes and verifies through us, not by hand.
CREATE OR REPLACE FUNCTION pg_temp.tenant_columns() RETURNS TABLE (privilege text, column_name text) LANGUAGE sql AS $$
  WITH columns AS (
    SELECT attname::text AS name, EXISTS (SELECT FROM pg_temp.new_columns() AS n WHERE n.name = attname) AS is_new
    FROM pg_attribute WHERE attrelid = 'public.social_accounts'::regclass AND attnum > 0 AND NOT attisdropped
    ORDER BY attnum),
  known (name) AS (
    SELECT n.name FROM pg_temp.needed_columns() AS n WHERE tbl = 'public.social_accounts'
    UNION VALUES ('profile_url'), ('token_expires_at'), ('updated_at'))
  SELECT 'SELECT', c.name FROM columns AS c
  WHERE c.name NOT IN ('app_secret', 'verify_token', 'access_token', 'refresh_token')
    AND (c.is_new OR c.name IN (SELECT name FROM known)
         OR EXISTS (SELECT FROM socialsync.preimages WHERE object = 'authenticated reads all columns'))
  UNION ALL
  SELECT p.privilege, c.name FROM columns AS c, pg_temp.privileges('public.social_accounts') AS p
  WHERE p.role = 'authenticated' AND p.privilege IN ('INSERT', 'UPDATE') AND p.column_name = '' AND NOT c.is_new;
$$;

-- Column grants that are missing; worked out before the table's grants are taken away.
CREATE OR REPLACE FUNCTION pg_temp.missing_column_grants() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(format('GRANT %s (%s) ON public.social_accounts TO authenticated;', privilege, names), ' ')
  FROM (SELECT t.privilege, string_agg(quote_ident(t.column_name), ', ') AS names
        FROM pg_temp.tenant_columns() AS t
        WHERE NOT EXISTS (SELECT FROM pg_temp.privileges('public.social_accounts') AS p
                          WHERE p.role = 'authenticated' AND p.privilege = t.privilege
                            AND p.column_name = t.column_name)
        GROUP BY t.privilege) AS grants;
$$;

-- Everything of anon and PUBLIC; of authenticated what is for whole tables, except to delete, and secret columns.
CREATE OR REPLACE FUNCTION pg_temp.excess_grants() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(DISTINCT format('REVOKE %s ON public.social_accounts FROM %s;',
    CASE WHEN p.role = 'authenticated' THEN p.privilege || coalesce(' (' || quote_ident(nullif(p.column_name, '')) || ')', '')
         ELSE 'ALL' END, p.role), ' ')
  FROM pg_temp.privileges('public.social_accounts') AS p
  WHERE p.role IN ('anon', 'PUBLIC')
     OR p.role = 'authenticated' AND p.column_name = '' AND p.privilege <> 'DELETE'
     OR p.role = 'authenticated' AND (
          p.column_name IN ('app_secret', 'verify_token', 'access_token', 'refresh_token') AND p.privilege = 'SELECT'
          OR p.column_name IN (SELECT name FROM pg_temp.new_columns()) AND p.privilege <> 'SELECT');
$$;

-- What whole tables are open for; nothing else is, to the web API's roles.
CREATE OR REPLACE FUNCTION pg_temp.missing_table_grants() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(format('GRANT %s ON %s TO %s;', privilege, tbl, role), ' ')
  FROM (SELECT 'service_role' AS role, tbl, privilege
        FROM unnest(ARRAY['public.social_accounts', 'public.webhook_logs', 'public.webhook_quarantine',
                          'socialsync.webhook_event_keys']) AS tbl,
             unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege
        UNION ALL SELECT 'authenticated', 'public.webhook_logs', 'SELECT') AS wanted
  WHERE NOT EXISTS (SELECT FROM pg_temp.privileges(tbl::regclass) AS p
                    WHERE p.role = wanted.role AND p.privilege = wanted.privilege AND p.column_name = '');
$$;

DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_temp.privileges('public.social_accounts') WHERE role = 'PUBLIC') THEN
    RAISE WARNING 'social_accounts was open to PUBLIC, which would show its secrets to every tenant: that is taken '
      'away. Roles that relied on it need grants of their own';
  END IF;
END $$;

SELECT pg_temp.step('grants of tables', '{}', statements = '', statements)
FROM concat_ws(' ', pg_temp.excess_grants(), pg_temp.missing_column_grants(), pg_temp.missing_table_grants())
     AS statements;

-- Ours to say, not to change: the table of users belongs to the application.
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_class WHERE oid = 'public.users'::regclass AND NOT relrowsecurity)
     AND (has_any_column_privilege('authenticated', 'public.users', 'SELECT')
          OR has_any_column_privilege('anon', 'public.users', 'SELECT')) THEN
    RAISE WARNING 'public.users has no row-level security and is open to the roles of the web API: '
      'everybody can read everybody''s e-mail address there. Enable it, with a policy such as USING (id = auth.uid())';
  END IF;
END $$;

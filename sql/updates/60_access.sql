-- ---------------------------------------------------------------------------------------------------------------
-- Access: policies, row-level security, grants

-- The privileges on a table and its columns, with the column name '' for the whole table. `passed_on_by`: the grantor unless
-- it is the owner; only the grantor can revoke them.
CREATE OR REPLACE FUNCTION pg_temp.privileges(tbl regclass)
RETURNS TABLE (role text, privilege text, column_name text, passed_on_by text) LANGUAGE sql STABLE AS $$
  SELECT CASE i.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(i.grantee) END, i.privilege_type, i.column_name,
         CASE WHEN i.grantor <> c.relowner THEN pg_get_userbyid(i.grantor) END
  FROM pg_class AS c, LATERAL (
    SELECT grantor, grantee, privilege_type, '' AS column_name FROM aclexplode(c.relacl)
    UNION
    SELECT grantor, grantee, privilege_type, attname FROM pg_attribute, aclexplode(attacl)
    WHERE attrelid = c.oid AND NOT attisdropped) AS i
  WHERE c.oid = tbl;
$$;

-- Additional roles that see all accounts, such as members of a role with privileges. The setting socialsync.rls_roles is a
-- comma-separated list of names; names with a comma are in double quotes.
CREATE OR REPLACE FUNCTION pg_temp.rls_roles() RETURNS SETOF text LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN starts_with(word, '"') THEN replace(substr(word, 2, length(word) - 2), '""', '"') ELSE word END
  FROM (SELECT trim(m[1]) AS word
        FROM regexp_matches(current_setting('socialsync.rls_roles', true), '("(?:[^"]|"")*"|[^,]+)', 'g') AS m) AS words
  WHERE word <> '';
$$;

-- Roles with privileges on social_accounts other than its owner and the web API's roles, such as the application's.
-- Without a policy they would see an empty table. rls_roles() adds more.
CREATE OR REPLACE FUNCTION pg_temp.application_roles() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(DISTINCT quote_ident(p.role), ', ')
  FROM pg_class AS c, LATERAL (
    SELECT role FROM pg_temp.privileges(c.oid)
    UNION SELECT r FROM pg_temp.rls_roles() AS r) AS p
  WHERE c.oid = to_regclass('public.social_accounts')
    AND p.role NOT IN (pg_get_userbyid(c.relowner), 'PUBLIC', 'anon', 'authenticated', 'service_role');
$$;

CREATE OR REPLACE FUNCTION pg_temp.has_policy(policy_name text) RETURNS boolean LANGUAGE sql AS $$
  SELECT EXISTS (SELECT FROM pg_policy
                 WHERE polrelid = to_regclass('public.social_accounts') AND polname = policy_name);
$$;

-- A signed-in user who could write to social_accounts before row-level security was enabled may still write own rows.
CREATE OR REPLACE FUNCTION pg_temp.policies_for_found_rights() RETURNS text LANGUAGE sql AS $$
  SELECT concat(
    CASE WHEN NOT pg_temp.has_policy('webhooks_application')
    THEN 'CREATE POLICY webhooks_application ON public.social_accounts TO ' || pg_temp.application_roles()
      || ' USING (true);' END,
    CASE WHEN NOT pg_temp.has_policy('webhooks_own_writes')
          AND (has_any_column_privilege(to_regrole('authenticated')::oid, pg_class.oid, 'INSERT, UPDATE')
               OR has_table_privilege(to_regrole('authenticated')::oid, pg_class.oid, 'DELETE'))
    THEN 'CREATE POLICY webhooks_own_writes ON public.social_accounts TO authenticated '
         'USING (user_id = (SELECT auth.uid()));' END)
  FROM pg_class WHERE oid = to_regclass('public.social_accounts') AND NOT relrowsecurity;
$$;

-- Adds newly named roles to an existing policy.
CREATE OR REPLACE FUNCTION pg_temp.policy_for_named_roles() RETURNS text LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN p.oid IS NULL
         THEN format('CREATE POLICY webhooks_application ON public.social_accounts TO %s USING (true);', named)
         ELSE format('ALTER POLICY webhooks_application ON public.social_accounts TO %s, %s;',
                     pg_temp.role_list(p.polroles), named) END
  FROM pg_class AS c LEFT JOIN pg_policy AS p ON p.polrelid = c.oid AND p.polname = 'webhooks_application',
  LATERAL (SELECT string_agg(DISTINCT quote_ident(r), ', ') FROM pg_temp.rls_roles() AS r
           WHERE r NOT IN (pg_get_userbyid(c.relowner), 'anon', 'authenticated', 'service_role')
             AND NOT coalesce(p.polroles && ARRAY[0, to_regrole(quote_ident(r))::oid], false)) AS missing (named)
  WHERE c.oid = to_regclass('public.social_accounts') AND (c.relrowsecurity OR p.oid IS NOT NULL) AND named IS NOT NULL;
$$;

CREATE OR REPLACE FUNCTION pg_temp.missing_policies(for_table text) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(format('CREATE POLICY %I ON %s AS %s FOR %s TO %I %s (%s);', p.name, p.tbl, p.kind, p.command,
                           p.grantee, CASE p.command WHEN 'INSERT' THEN 'WITH CHECK' ELSE 'USING' END, p.condition), ' ')
  FROM pg_temp.policies() AS p
  WHERE p.tbl = for_table
    AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = to_regclass(for_table) AND polname = p.name);
$$;

-- True for privileges that a signed-in user keeps: reading own accounts without secrets, deleting them, and writing columns
-- that are not ours, where it could before; and reading own logs.
CREATE OR REPLACE FUNCTION pg_temp.tenant_may(privilege text, tbl text, column_name text) RETURNS boolean
LANGUAGE sql AS $$
  SELECT CASE tbl
    WHEN 'public.webhook_logs' THEN privilege = 'SELECT'
    WHEN 'public.social_accounts' THEN CASE
      WHEN column_name = '' THEN privilege = 'DELETE'
      WHEN privilege = 'SELECT' THEN column_name NOT IN ('app_secret', 'verify_token', 'access_token', 'refresh_token')
      WHEN privilege = 'UPDATE' AND column_name IN ('platform', 'account_id') THEN false  -- they route events
      ELSE column_name NOT IN (SELECT name FROM pg_temp.new_columns()) END
    ELSE false END;
$$;

-- True when the object existed before the first update.
CREATE OR REPLACE FUNCTION pg_temp.was_found(thing text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF pg_temp.relation('socialsync.preimages') IS NULL THEN
    RETURN EXISTS (SELECT FROM pg_temp.found() AS f WHERE f.object = thing);
  END IF;
  IF NOT pg_temp.may_read('socialsync.preimages') THEN
    RETURN false;
  END IF;
  RETURN EXISTS (SELECT FROM socialsync.preimages AS p WHERE p.object = thing);
END $$;

-- The columns of social_accounts after the update, in their order: a plan lists the grants of the final state.
CREATE OR REPLACE FUNCTION pg_temp.columns_to_be() RETURNS TABLE (attname text, attnum bigint) LANGUAGE sql AS $$
  WITH here AS (SELECT a.attname::text, a.attnum::bigint FROM pg_attribute AS a
                WHERE a.attrelid = to_regclass('public.social_accounts') AND a.attnum > 0 AND NOT a.attisdropped)
  SELECT * FROM here
  UNION ALL
  SELECT n.name, 10000 + n.place FROM pg_temp.new_columns() WITH ORDINALITY AS n (name, type, default_value, place)
  WHERE EXISTS (SELECT FROM here) AND n.name NOT IN (SELECT here.attname FROM here);
$$;

-- Privileges on the whole table, converted to privileges on columns. Columns of the documented interface are readable in any
-- case.
CREATE OR REPLACE FUNCTION pg_temp.tenant_columns() RETURNS TABLE (privilege text, column_name text) LANGUAGE sql AS $$
  SELECT w.privilege, a.attname
  FROM pg_temp.columns_to_be() AS a, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) AS w (privilege)
  WHERE pg_temp.tenant_may(w.privilege, 'public.social_accounts', a.attname)
    AND CASE WHEN w.privilege = 'SELECT'
        THEN (SELECT pg_temp.was_found('authenticated reads all columns'))
             OR a.attname IN (SELECT name FROM pg_temp.new_columns() UNION
                              SELECT name FROM pg_temp.needed_columns() WHERE tbl = 'public.social_accounts' UNION
                              VALUES ('profile_url'), ('token_expires_at'), ('updated_at'))
        ELSE EXISTS (SELECT FROM pg_temp.privileges(to_regclass('public.social_accounts')) AS p
                     WHERE p.role = 'authenticated' AND p.privilege = w.privilege AND p.column_name = '') END
  ORDER BY a.attnum;
$$;

-- Revoking a privilege on a table revokes it on its columns too: grant those again.
CREATE OR REPLACE FUNCTION pg_temp.missing_column_grants() RETURNS text LANGUAGE sql AS $$
  WITH has AS MATERIALIZED (SELECT * FROM pg_temp.privileges(to_regclass('public.social_accounts')) AS p
                            WHERE p.role = 'authenticated')
  SELECT string_agg(format('GRANT %s (%s) ON public.social_accounts TO authenticated;', privilege, names), ' ')
  FROM (SELECT t.privilege, string_agg(quote_ident(t.column_name), ', ') AS names
        FROM pg_temp.tenant_columns() AS t
        WHERE EXISTS (SELECT FROM has WHERE has.privilege = t.privilege AND has.column_name = ''
                                        AND has.passed_on_by IS NULL)
           OR NOT EXISTS (SELECT FROM has WHERE has.privilege = t.privilege AND has.column_name = t.column_name)
        GROUP BY t.privilege) AS grants;
$$;

-- Privileges of the web API's roles from default privileges, GRANT ON ALL TABLES, or other roles' grant options.
CREATE OR REPLACE FUNCTION pg_temp.excess_privileges() RETURNS TABLE (statement text, passed_on_by text)
LANGUAGE sql AS $$
  SELECT DISTINCT format('REVOKE %s%s ON %s FROM %s;', p.privilege,
                         ' (' || quote_ident(nullif(p.column_name, '')) || ')', tbl, p.role), p.passed_on_by
  FROM pg_temp.walled_tables() AS tbl,
       pg_temp.privileges(to_regclass(tbl)) AS p
  WHERE p.role IN ('anon', 'PUBLIC')
     OR p.role = 'authenticated' AND NOT pg_temp.tenant_may(p.privilege, tbl, p.column_name);
$$;

-- Privileges that only another role can revoke, with the REVOKE statements by role; null: none.
CREATE OR REPLACE FUNCTION pg_temp.passed_on_privileges() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(format('role %s granted privileges that tenants must not have, and only this role can revoke them: '
                           'SET ROLE %1$I; %s RESET ROLE;', passed_on_by, statements), E'\n' ORDER BY passed_on_by)
  FROM (SELECT passed_on_by, string_agg(statement, ' ' ORDER BY statement)
        FROM pg_temp.excess_privileges() WHERE passed_on_by IS NOT NULL
        GROUP BY passed_on_by) AS others (passed_on_by, statements);
$$;

-- All privileges of the web API's roles on whole tables.
CREATE OR REPLACE FUNCTION pg_temp.missing_table_grants() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(format('GRANT %s ON %s TO %s;', privilege, tbl, role), ' ')
  FROM (SELECT 'service_role' AS role, tbl, privilege
        FROM (SELECT t FROM pg_temp.walled_tables() AS t UNION ALL VALUES ('socialsync.webhook_event_keys')) AS tables (tbl),
             unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege
        UNION ALL SELECT 'authenticated', 'public.webhook_logs', 'SELECT') AS wanted
  WHERE NOT EXISTS (SELECT FROM pg_temp.privileges(pg_temp.relation(tbl)) AS p
                    WHERE p.role = wanted.role AND p.privilege = wanted.privilege AND p.column_name = '');
$$;

CREATE OR REPLACE FUNCTION pg_temp.row_security_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $$
  -- Policies and row-level security in one transaction: no session sees an empty table between them.
  SELECT 'row_security.' || split_part(t, '.', 2), 'row-level security of ' || t, 'ACCESS EXCLUSIVE', ARRAY[t], false,
         pg_temp.missing_policies(t) IS NULL
           AND (t <> 'public.social_accounts' OR pg_temp.policy_for_named_roles() IS NULL)
           AND coalesce((SELECT relrowsecurity FROM pg_class WHERE oid = to_regclass(t)), false),
         NULL,
         concat(CASE t WHEN 'public.social_accounts'
                THEN concat(pg_temp.policies_for_found_rights(), pg_temp.policy_for_named_roles()) END,
                pg_temp.missing_policies(t), format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t)),
         NULL, NULL
  FROM pg_temp.walled_tables() AS t;
$$;

CREATE OR REPLACE FUNCTION pg_temp.grant_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $$
  SELECT 'grants', 'grants of tables', NULL, '{}'::text[], false, statements = '', NULL, statements, NULL, NULL
  FROM concat_ws(' ', (SELECT string_agg(statement, ' ' ORDER BY statement) FROM pg_temp.excess_privileges()
                       WHERE passed_on_by IS NULL),
                 pg_temp.missing_column_grants(), pg_temp.missing_table_grants()) AS statements
  UNION ALL
  SELECT 'grants.passed_on', 'privileges granted by other roles', NULL, '{}', false, false,
         format('SELECT pg_temp.data_blocks(%L)', message), 'SELECT', NULL, NULL
  FROM pg_temp.passed_on_privileges() AS message WHERE message IS NOT NULL;
$$;

-- Problems that the update reports and does not change.
CREATE OR REPLACE FUNCTION pg_temp.access_warnings() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT 'social_accounts was open to PUBLIC, which would show its secrets to every tenant: the privilege is revoked. Roles '
         'that relied on it need grants of their own'
  WHERE EXISTS (SELECT FROM pg_temp.privileges(to_regclass('public.social_accounts')) WHERE role = 'PUBLIC')
  UNION ALL
  SELECT message FROM pg_temp.passed_on_privileges() AS message WHERE message IS NOT NULL
  UNION ALL
  -- A view with its owner's privileges shows rows that row-level security hides.
  SELECT format('these views show the accounts of all tenants to the roles of the web API: %s. Revoke the privilege, or set '
                'security_invoker', string_agg(DISTINCT v.oid::regclass::text, ', '))
  FROM pg_depend AS d JOIN pg_rewrite AS r ON r.oid = d.objid JOIN pg_class AS v ON v.oid = r.ev_class
  WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
    AND d.refobjid = to_regclass('public.social_accounts') AND v.relkind IN ('v', 'm')
    AND NOT coalesce(v.reloptions && ARRAY['security_invoker=true', 'security_invoker=on'], false)
    AND (has_any_column_privilege(to_regrole('anon')::oid, v.oid, 'SELECT')
         OR has_any_column_privilege(to_regrole('authenticated')::oid, v.oid, 'SELECT'))
  HAVING count(*) > 0
  UNION ALL
  -- For a role of that name, an unqualified CREATE TABLE would use our schema: "$user" is first in search_path.
  SELECT 'the schema socialsync holds our objects, and is first in the search_path of the role of that name: '
         'ALTER ROLE socialsync SET search_path = public'
  WHERE EXISTS (SELECT FROM pg_roles WHERE rolname = 'socialsync' AND rolname IN (current_user, session_user)
                  AND NOT coalesce(rolconfig::text LIKE '%search_path=%', false))
    AND NOT EXISTS (SELECT FROM pg_db_role_setting AS s JOIN pg_database AS d ON d.oid = s.setdatabase
                    WHERE d.datname = current_database() AND s.setconfig::text LIKE '%search_path=%')
  UNION ALL
  SELECT format('privilege missing for %I to check that functions and views are unchanged: GRANT USAGE ON SCHEMA socialsync TO '
                '%1$I; GRANT SELECT ON socialsync.fingerprints, socialsync.preimages TO %1$I', current_user)
  WHERE NOT (pg_temp.may_read('socialsync.fingerprints') AND pg_temp.may_read('socialsync.preimages'))
  UNION ALL
  -- The table of users belongs to the application.
  SELECT 'public.users has no row-level security and is open to the roles of the web API: every user can read '
         'the e-mail addresses of all users. Enable it, with a policy such as USING (id = auth.uid())'
  FROM pg_class
  WHERE oid = to_regclass('public.users') AND NOT relrowsecurity
    AND (has_any_column_privilege(to_regrole('authenticated')::oid, oid, 'SELECT')
         OR has_any_column_privilege(to_regrole('anon')::oid, oid, 'SELECT'));
$$;

-- ---------------------------------------------------------------------------------------------------------------
-- Who may see what: policies, then row-level security, then grants

-- Whom a table's privileges were given to, whole tables and columns: '' for a whole table. `passed_on_by`: the role
-- that gave it, where that is not the owner, who can take back only what it gave itself.
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

-- More roles that shall see all accounts, such as one that has its rights through another: the setting
-- socialsync.rls_roles has their names with commas between, in double quotes those that have a comma themselves.
CREATE OR REPLACE FUNCTION pg_temp.rls_roles() RETURNS SETOF text LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN starts_with(word, '"') THEN replace(substr(word, 2, length(word) - 2), '""', '"') ELSE word END
  FROM (SELECT trim(m[1]) AS word
        FROM regexp_matches(current_setting('socialsync.rls_roles', true), '("(?:[^"]|"")*"|[^,]+)', 'g') AS m) AS words
  WHERE word <> '';
$$;

-- Roles other than the owner and the web API's that have rights on social_accounts: an application's own, say.
-- Without a policy for them, row-level security would show them an empty table. rls_roles() adds more.
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

-- A signed-in user that could write to social_accounts before row-level security was on still can: its own rows.
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

-- Roles that are named when others have their policy already join it.
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

-- Whether a signed-in user may have this: of its accounts it reads all but the secrets, deletes, and writes what is
-- not ours, where it could before; its logs it reads.
CREATE OR REPLACE FUNCTION pg_temp.tenant_may(privilege text, tbl text, column_name text) RETURNS boolean
LANGUAGE sql AS $$
  SELECT CASE tbl
    WHEN 'public.webhook_logs' THEN privilege = 'SELECT'
    WHEN 'public.social_accounts' THEN CASE
      WHEN column_name = '' THEN privilege = 'DELETE'
      WHEN privilege = 'SELECT' THEN column_name NOT IN ('app_secret', 'verify_token', 'access_token', 'refresh_token')
      WHEN privilege = 'UPDATE' AND column_name IN ('platform', 'account_id') THEN false  -- events are routed by them
      ELSE column_name NOT IN (SELECT name FROM pg_temp.new_columns()) END
    ELSE false END;
$$;

-- What the record says of the time before the first update.
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

-- The columns of social_accounts once it has the new ones, in their order: a plan says what will be done, not what would be
-- done now.
CREATE OR REPLACE FUNCTION pg_temp.columns_to_be() RETURNS TABLE (attname text, attnum bigint) LANGUAGE sql AS $$
  WITH here AS (SELECT a.attname::text, a.attnum::bigint FROM pg_attribute AS a
                WHERE a.attrelid = to_regclass('public.social_accounts') AND a.attnum > 0 AND NOT a.attisdropped)
  SELECT * FROM here
  UNION ALL
  SELECT n.name, 10000 + n.place FROM pg_temp.new_columns() WITH ORDINALITY AS n (name, type, default_value, place)
  WHERE EXISTS (SELECT FROM here) AND n.name NOT IN (SELECT here.attname FROM here);
$$;

-- Rights on whole tables that become rights on columns: what could be read or written is, column by column, and what
-- the contract names can be read in any case.
CREATE OR REPLACE FUNCTION pg_temp.tenant_columns() RETURNS TABLE (privilege text, column_name text) LANGUAGE sql AS $$
  SELECT w.privilege, a.attname
  FROM pg_temp.columns_to_be() AS a, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) AS w (privilege)
  WHERE pg_temp.tenant_may(w.privilege, 'public.social_accounts', a.attname)
    AND CASE WHEN w.privilege = 'SELECT'
        THEN pg_temp.was_found('authenticated reads all columns')
             OR a.attname IN (SELECT name FROM pg_temp.new_columns() UNION
                              SELECT name FROM pg_temp.needed_columns() WHERE tbl = 'public.social_accounts' UNION
                              VALUES ('profile_url'), ('token_expires_at'), ('updated_at'))
        ELSE EXISTS (SELECT FROM pg_temp.privileges(to_regclass('public.social_accounts')) AS p
                     WHERE p.role = 'authenticated' AND p.privilege = w.privilege AND p.column_name = '') END
  ORDER BY a.attnum;
$$;

-- Taking a right on the table takes it on its columns too, so those are given again.
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

-- What default privileges, or a GRANT ON ALL TABLES, gave to the web API's roles; and what others passed on to them.
CREATE OR REPLACE FUNCTION pg_temp.excess_privileges() RETURNS TABLE (statement text, passed_on_by text)
LANGUAGE sql AS $$
  SELECT DISTINCT format('REVOKE %s%s ON %s FROM %s;', p.privilege,
                         ' (' || quote_ident(nullif(p.column_name, '')) || ')', tbl, p.role), p.passed_on_by
  FROM pg_temp.walled_tables() AS tbl,
       pg_temp.privileges(to_regclass(tbl)) AS p
  WHERE p.role IN ('anon', 'PUBLIC')
     OR p.role = 'authenticated' AND NOT pg_temp.tenant_may(p.privilege, tbl, p.column_name);
$$;

-- What only somebody else can take back, role by role, with what does it; null when there is none.
CREATE OR REPLACE FUNCTION pg_temp.passed_on_privileges() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(format('role %s passed rights on that tenants must not have, and only it can take them back: '
                           'SET ROLE %1$I; %s RESET ROLE;', passed_on_by, statements), E'\n' ORDER BY passed_on_by)
  FROM (SELECT passed_on_by, string_agg(statement, ' ' ORDER BY statement)
        FROM pg_temp.excess_privileges() WHERE passed_on_by IS NOT NULL
        GROUP BY passed_on_by) AS others (passed_on_by, statements);
$$;

-- What whole tables are open for; nothing else is, to the web API's roles.
CREATE OR REPLACE FUNCTION pg_temp.missing_table_grants() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(format('GRANT %s ON %s TO %s;', privilege, tbl, role), ' ')
  FROM (SELECT 'service_role' AS role, tbl, privilege
        FROM (SELECT t FROM pg_temp.walled_tables() AS t UNION ALL VALUES ('socialsync.webhook_event_keys')) AS tables (tbl),
             unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege
        UNION ALL SELECT 'authenticated', 'public.webhook_logs', 'SELECT') AS wanted
  WHERE NOT EXISTS (SELECT FROM pg_temp.privileges(pg_temp.relation(tbl)) AS p
                    WHERE p.role = wanted.role AND p.privilege = wanted.privilege AND p.column_name = '');
$$;

CREATE OR REPLACE FUNCTION pg_temp.access_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $$
  -- Policies first, then row-level security, in one transaction: nobody sees an empty table in between.
  SELECT 'row_security.' || split_part(t, '.', 2), 'row-level security of ' || t, 'ACCESS EXCLUSIVE', ARRAY[t], false,
         pg_temp.missing_policies(t) IS NULL
           AND (t <> 'public.social_accounts' OR pg_temp.policy_for_named_roles() IS NULL)
           AND coalesce((SELECT relrowsecurity FROM pg_class WHERE oid = to_regclass(t)), false),
         NULL,
         concat(CASE t WHEN 'public.social_accounts'
                THEN concat(pg_temp.policies_for_found_rights(), pg_temp.policy_for_named_roles()) END,
                pg_temp.missing_policies(t), format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t)),
         NULL, NULL
  FROM pg_temp.walled_tables() AS t
  UNION ALL
  SELECT 'grants', 'grants of tables', NULL, '{}', false, statements = '', NULL, statements, NULL, NULL
  FROM concat_ws(' ', (SELECT string_agg(statement, ' ' ORDER BY statement) FROM pg_temp.excess_privileges()
                       WHERE passed_on_by IS NULL),
                 pg_temp.missing_column_grants(), pg_temp.missing_table_grants()) AS statements
  UNION ALL
  SELECT 'grants.passed_on', 'rights that others passed on', NULL, '{}', false, false,
         format('SELECT pg_temp.data_blocks(%L)', message), 'SELECT', NULL, NULL
  FROM pg_temp.passed_on_privileges() AS message WHERE message IS NOT NULL;
$$;

-- What is ours to say, not to change.
CREATE OR REPLACE FUNCTION pg_temp.access_warnings() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT 'social_accounts was open to PUBLIC, which would show its secrets to every tenant: that is taken away. Roles '
         'that relied on it need grants of their own'
  WHERE EXISTS (SELECT FROM pg_temp.privileges(to_regclass('public.social_accounts')) WHERE role = 'PUBLIC')
  UNION ALL
  SELECT message FROM pg_temp.passed_on_privileges() AS message WHERE message IS NOT NULL
  UNION ALL
  -- A view with its owner's rights shows what row-level security hides.
  SELECT format('these views show everybody''s accounts to the roles of the web API: %s. Take the right away, or set '
                'security_invoker', string_agg(DISTINCT v.oid::regclass::text, ', '))
  FROM pg_depend AS d JOIN pg_rewrite AS r ON r.oid = d.objid JOIN pg_class AS v ON v.oid = r.ev_class
  WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
    AND d.refobjid = to_regclass('public.social_accounts') AND v.relkind IN ('v', 'm')
    AND NOT coalesce(v.reloptions && ARRAY['security_invoker=true', 'security_invoker=on'], false)
    AND (has_any_column_privilege(to_regrole('anon')::oid, v.oid, 'SELECT')
         OR has_any_column_privilege(to_regrole('authenticated')::oid, v.oid, 'SELECT'))
  HAVING count(*) > 0
  UNION ALL
  -- An unqualified CREATE TABLE of a role of that name would land in our schema: "$user" comes first in search_path.
  SELECT 'the schema socialsync is ours, and comes first for the role of that name: '
         'ALTER ROLE socialsync SET search_path = public'
  WHERE EXISTS (SELECT FROM pg_roles WHERE rolname = 'socialsync' AND rolname IN (current_user, session_user)
                  AND NOT coalesce(rolconfig::text LIKE '%search_path=%', false))
    AND NOT EXISTS (SELECT FROM pg_db_role_setting AS s JOIN pg_database AS d ON d.oid = s.setdatabase
                    WHERE d.datname = current_database() AND s.setconfig::text LIKE '%search_path=%')
  UNION ALL
  SELECT format('%I may not see whether functions and views are as they were made: GRANT USAGE ON SCHEMA socialsync TO '
                '%1$I; GRANT SELECT ON socialsync.fingerprints, socialsync.preimages TO %1$I', current_user)
  WHERE NOT (pg_temp.may_read('socialsync.fingerprints') AND pg_temp.may_read('socialsync.preimages'))
  UNION ALL
  -- The table of users belongs to the application.
  SELECT 'public.users has no row-level security and is open to the roles of the web API: everybody can read '
         'everybody''s e-mail address there. Enable it, with a policy such as USING (id = auth.uid())'
  FROM pg_class
  WHERE oid = to_regclass('public.users') AND NOT relrowsecurity
    AND (has_any_column_privilege(to_regrole('authenticated')::oid, oid, 'SELECT')
         OR has_any_column_privilege(to_regrole('anon')::oid, oid, 'SELECT'));
$$;

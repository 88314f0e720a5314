-- ---------------------------------------------------------------------------------------------------------------
-- Records the state before the first update, which the rollback restores

-- The GRANT statements that restore the privileges of a table and its columns, in their order; only those granted by the
-- owner, who can grant them again.
CREATE OR REPLACE FUNCTION pg_temp.grants_of(tbl regclass) RETURNS text[] LANGUAGE sql AS $$
  SELECT array_agg(format('GRANT %s ON TABLE %s TO %s%s', granted, tbl,
                          CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
                          CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
                   ORDER BY attnum, first_item)
  FROM (SELECT 0 AS attnum, min(n) AS first_item, grantee, is_grantable, string_agg(privilege_type, ', ') AS granted
        FROM pg_class AS c,
             aclexplode(coalesce(c.relacl, acldefault('r', c.relowner)))
               WITH ORDINALITY AS i (grantor, grantee, privilege_type, is_grantable, n)
        WHERE c.oid = tbl AND grantor = c.relowner
        GROUP BY grantee, is_grantable
        UNION ALL
        SELECT a.attnum, min(n), grantee, is_grantable, string_agg(format('%s (%I)', privilege_type, a.attname), ', ')
        FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND NOT a.attisdropped,
             aclexplode(a.attacl) WITH ORDINALITY AS i (grantor, grantee, privilege_type, is_grantable, n)
        WHERE c.oid = tbl AND grantor = c.relowner
        GROUP BY a.attnum, grantee, is_grantable) AS items;
$$;

-- Roles in the syntax of CREATE POLICY.
CREATE OR REPLACE FUNCTION pg_temp.role_list(roles oid[]) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END, ', ' ORDER BY place)
  FROM unnest(roles) WITH ORDINALITY AS listed (r, place);
$$;

-- One row for each existing object: its name, and the SQL that restores it where the update changes it.
CREATE OR REPLACE FUNCTION pg_temp.found() RETURNS TABLE (object text, restore text[]) LANGUAGE sql AS $$
  SELECT 'grants', pg_temp.grants_of(to_regclass('public.social_accounts'))
  UNION ALL
  SELECT 'row security', '{}'::text[] FROM pg_class WHERE oid = to_regclass('public.social_accounts') AND relrowsecurity
  UNION ALL
  SELECT 'authenticated reads all columns', '{}'
  WHERE has_table_privilege(to_regrole('authenticated')::oid, to_regclass('public.social_accounts')::oid, 'SELECT')
  UNION ALL
  SELECT 'label ' || enumlabel, '{}' FROM pg_enum WHERE enumtypid = to_regtype('public.social_platform')
  UNION ALL
  SELECT 'column ' || n.name,
         CASE WHEN n.default_value IS NOT NULL AND NOT a.atthasdef
              THEN ARRAY[format('ALTER TABLE public.social_accounts ALTER COLUMN %I DROP DEFAULT', n.name)]
              ELSE '{}' END
  FROM pg_temp.new_columns() AS n
  JOIN pg_attribute AS a ON a.attrelid = to_regclass('public.social_accounts') AND a.attname = n.name
                        AND NOT a.attisdropped
  UNION ALL
  SELECT 'index ' || i.name, '{}' FROM pg_temp.unique_indexes() AS i
  JOIN pg_index AS x ON x.indexrelid = to_regclass('public.' || i.name) AND x.indisvalid
  UNION ALL
  -- The update validates a NOT VALID constraint, or drops it when rows violate it.
  SELECT 'constraint ' || k.name,
         CASE WHEN c.convalidated THEN '{}' ELSE array_remove(ARRAY[
           format('ALTER TABLE public.social_accounts ADD CONSTRAINT %I %s', k.name, pg_get_constraintdef(c.oid)),
           format('COMMENT ON CONSTRAINT %I ON public.social_accounts IS %L', k.name,
                  obj_description(c.oid, 'pg_constraint'))], CASE WHEN obj_description(c.oid, 'pg_constraint') IS NULL
           THEN format('COMMENT ON CONSTRAINT %I ON public.social_accounts IS NULL', k.name) END) END
  FROM pg_temp.account_checks() AS k
  JOIN pg_constraint AS c ON c.conrelid = to_regclass('public.social_accounts') AND c.conname = k.name
  UNION ALL
  SELECT 'policy ' || p.name, '{}' FROM pg_temp.policies() AS p
  JOIN pg_policy AS c ON c.polrelid = to_regclass('public.social_accounts') AND c.polname = p.name
  WHERE p.tbl = 'public.social_accounts'
  UNION ALL
  SELECT 'policy ' || polname,
         -- The update may add roles to this policy.
         CASE polname WHEN 'webhooks_application'
         THEN ARRAY[format('ALTER POLICY %I ON public.social_accounts TO %s', polname, pg_temp.role_list(polroles))]
         ELSE '{}' END
  FROM pg_policy
  WHERE polrelid = to_regclass('public.social_accounts')
    AND polname IN ('webhooks_application', 'webhooks_own_writes');
$$;

CREATE OR REPLACE FUNCTION pg_temp.schema_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $$
  SELECT 'schema.socialsync', 'schema socialsync, and the state before the update', NULL, '{}'::text[], false,
         to_regnamespace('socialsync') IS NOT NULL, NULL, $sql$
  CREATE SCHEMA socialsync;
  COMMENT ON SCHEMA socialsync IS
    'SocialSync Webhooks: internal objects, outside of public, which web APIs expose';
  CREATE TABLE socialsync.preimages (
    object   text PRIMARY KEY,
    restore  text[] NOT NULL,
    found_at timestamptz NOT NULL DEFAULT now()
  );
  COMMENT ON TABLE socialsync.preimages IS
    'SocialSync Webhooks: the state of public.social_accounts before the first update, for schema_rollback_webhooks.sql';
  INSERT INTO socialsync.preimages SELECT * FROM pg_temp.found();
  REVOKE ALL ON SCHEMA socialsync FROM PUBLIC, anon, authenticated;
  GRANT USAGE ON SCHEMA socialsync TO service_role;
  REVOKE ALL ON socialsync.preimages FROM PUBLIC, anon, authenticated, service_role;
  $sql$, NULL, NULL
  UNION ALL
  SELECT 'ledger', 'ledger of runs and steps', NULL, '{}', false,
         pg_temp.relation('socialsync.fingerprints') IS NOT NULL, NULL, $sql$
  CREATE TABLE socialsync.fingerprints (
    step   text PRIMARY KEY,
    source text NOT NULL,
    result text NOT NULL
  );
  COMMENT ON TABLE socialsync.fingerprints IS
    'SocialSync Webhooks: fingerprints of objects created by steps, to detect later changes';
  CREATE TABLE socialsync.migration_steps (
    run         uuid NOT NULL,
    step        text NOT NULL,
    state       text NOT NULL,
    attempts    integer NOT NULL,
    began_at    timestamptz NOT NULL,
    ended_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    statements  text NOT NULL,
    note        text
  );
  COMMENT ON TABLE socialsync.migration_steps IS
    'SocialSync Webhooks: the steps done by each run of socialsync migrate';
  REVOKE ALL ON socialsync.fingerprints, socialsync.migration_steps FROM PUBLIC, anon, authenticated, service_role;
  $sql$, NULL, NULL;
$$;

CREATE OR REPLACE FUNCTION pg_temp.label_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $$
  -- One statement for each label: it is usable only after its commit. A new type is created with all labels.
  SELECT 'label.' || wanted, format('label %s of type social_platform', wanted), NULL, '{}'::text[], true,
         to_regtype('public.social_platform') IS NULL
         OR EXISTS (SELECT FROM pg_enum WHERE enumtypid = to_regtype('public.social_platform') AND enumlabel = wanted),
         NULL, format('ALTER TYPE public.social_platform ADD VALUE IF NOT EXISTS %L', wanted), NULL,
         'PostgreSQL cannot take a label away again'
  FROM unnest(ARRAY['facebook', 'instagram', 'whatsapp', 'whatsapp_business']) AS wanted;
$$;

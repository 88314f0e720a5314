-- ---------------------------------------------------------------------------------------------------------------
-- The roles of the web API, with Supabase's names; created where they are missing

-- Roles belong to the whole server: a run in another database may create them at the same time.
CREATE OR REPLACE FUNCTION pg_temp.make_role(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE ROLE %I NOLOGIN', name);
  EXECUTE format('COMMENT ON ROLE %I IS %L', name,
                 'SocialSync Webhooks: created by schema_updates_webhooks.sql');
EXCEPTION WHEN duplicate_object OR unique_violation THEN
  NULL;
END $$;

CREATE OR REPLACE FUNCTION pg_temp.role_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $$
  SELECT 'role.' || wanted, 'role ' || wanted, NULL, '{}'::text[], false, to_regrole(wanted) IS NOT NULL, NULL,
         format('SELECT pg_temp.make_role(%L)', wanted), NULL, NULL
  FROM unnest(ARRAY['anon', 'authenticated', 'service_role']) AS wanted
  UNION ALL
  SELECT 'schema.auth', 'schema auth', NULL, '{}', false, to_regnamespace('auth') IS NOT NULL, NULL, $sql$
  CREATE SCHEMA auth;
  COMMENT ON SCHEMA auth IS 'SocialSync Webhooks: created by schema_updates_webhooks.sql';
  GRANT USAGE ON SCHEMA auth TO anon, authenticated, service_role;
  $sql$, NULL, NULL
  UNION ALL
  -- The web API sets the claims for each request: the signed-in user is the `sub` of the verified token.
  SELECT 'function.auth_uid', 'function auth.uid()', NULL, '{}', false, pg_temp.routine('auth.uid()') IS NOT NULL,
         NULL, $sql$
  CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $body$
    SELECT coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
                    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid
  $body$;
  COMMENT ON FUNCTION auth.uid() IS
    'SocialSync Webhooks: created by schema_updates_webhooks.sql';
  GRANT EXECUTE ON FUNCTION auth.uid() TO anon, authenticated, service_role;
  $sql$, NULL, NULL;
$$;

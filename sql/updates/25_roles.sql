-- ---------------------------------------------------------------------------------------------------------------
-- Who asks: Supabase's names, made where they are missing

-- Roles are shared by all databases of the server: another run elsewhere may make them at this moment.
CREATE OR REPLACE FUNCTION pg_temp.make_role(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE ROLE %I NOLOGIN', name);
  EXECUTE format('COMMENT ON ROLE %I IS %L', name,
                 'SocialSync Webhooks: made by schema_updates_webhooks.sql, which found no such role');
EXCEPTION WHEN duplicate_object OR unique_violation THEN
  NULL;
END $$;

SELECT pg_temp.step('role ' || wanted, '{}', to_regrole(wanted) IS NOT NULL,
                    format('SELECT pg_temp.make_role(%L)', wanted))
FROM unnest(ARRAY['anon', 'authenticated', 'service_role']) AS wanted;

SELECT pg_temp.step('schema auth', '{}', to_regnamespace('auth') IS NOT NULL, $sql$
  CREATE SCHEMA auth;
  COMMENT ON SCHEMA auth IS 'SocialSync Webhooks: made by schema_updates_webhooks.sql, which found no such schema';
  GRANT USAGE ON SCHEMA auth TO anon, authenticated, service_role;
  $sql$);

-- Set by the web API for each request: the signed-in user is the `sub` of the token it verified.
SELECT pg_temp.step('function auth.uid()', '{}', to_regprocedure('auth.uid()') IS NOT NULL, $sql$
  CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $body$
    SELECT coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
                    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid
  $body$;
  COMMENT ON FUNCTION auth.uid() IS
    'SocialSync Webhooks: made by schema_updates_webhooks.sql, which found no such function';
  GRANT EXECUTE ON FUNCTION auth.uid() TO anon, authenticated, service_role;
  $sql$);

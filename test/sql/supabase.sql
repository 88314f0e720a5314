-- The shape of a Supabase project, for a superuser to make in an empty database of a server of its own: the owner is
-- no superuser, default privileges open every new table and function to the web API's roles.
CREATE ROLE anon NOLOGIN NOINHERIT;
CREATE ROLE authenticated NOLOGIN NOINHERIT;
CREATE ROLE service_role NOLOGIN NOINHERIT BYPASSRLS;
CREATE ROLE authenticator LOGIN NOINHERIT;
GRANT anon, authenticated, service_role TO authenticator;
CREATE ROLE supabase_auth_admin NOLOGIN CREATEROLE;
CREATE ROLE project_owner LOGIN CREATEROLE;
SELECT format('GRANT CREATE ON DATABASE %I TO project_owner', current_database()) \gexec
GRANT CREATE, USAGE ON SCHEMA public TO project_owner;
GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role;

CREATE SCHEMA auth AUTHORIZATION supabase_auth_admin;
GRANT USAGE ON SCHEMA auth TO project_owner, anon, authenticated, service_role;
SET ROLE supabase_auth_admin;
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $$
  SELECT coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
                  (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'))::uuid
$$;

RESET ROLE;
ALTER DEFAULT PRIVILEGES FOR ROLE project_owner IN SCHEMA public
  GRANT ALL ON TABLES TO anon, authenticated, service_role;
ALTER DEFAULT PRIVILEGES FOR ROLE project_owner IN SCHEMA public
  GRANT ALL ON FUNCTIONS TO anon, authenticated, service_role;
ALTER DEFAULT PRIVILEGES FOR ROLE project_owner IN SCHEMA public
  GRANT ALL ON SEQUENCES TO anon, authenticated, service_role;
SET ROLE project_owner;
\ir legacy.sql

-- As projects have it: each user sees itself; accounts by a policy that is too wide.
ALTER TABLE public.users ENABLE ROW LEVEL SECURITY;
CREATE POLICY "users see themselves" ON public.users USING (id = auth.uid());
ALTER TABLE public.social_accounts ENABLE ROW LEVEL SECURITY;
CREATE POLICY "everybody sees accounts" ON public.social_accounts FOR SELECT USING (true);
CREATE POLICY "users edit their accounts" ON public.social_accounts
  USING (user_id = auth.uid()) WITH CHECK (user_id = auth.uid());
RESET ROLE;

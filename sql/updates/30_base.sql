-- ---------------------------------------------------------------------------------------------------------------
-- The base tables of SocialSync, for an empty database

-- Revokes default privileges of the web API's roles: only row-level security and the grants below open these tables.
CREATE OR REPLACE FUNCTION pg_temp.base_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $$
  SELECT 'base.type', 'base: type social_platform', NULL, '{}'::text[], false,
         to_regtype('public.social_platform') IS NOT NULL, NULL, $sql$
  CREATE TYPE public.social_platform AS ENUM ('facebook', 'twitter', 'instagram', 'linkedin', 'youtube', 'tiktok',
    'whatsapp', 'whatsapp_business', 'reddit', 'x', 'website');
  $sql$, NULL, NULL
  UNION ALL
  SELECT 'base.users', 'base: table users', NULL, '{}', false, to_regclass('public.users') IS NOT NULL, NULL, $sql$
  CREATE TABLE public.users (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email      varchar(255) UNIQUE NOT NULL,
    full_name  varchar(255),
    is_active  boolean DEFAULT true,
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now()
  );
  REVOKE ALL ON public.users FROM anon, authenticated;
  $sql$, NULL, NULL
  UNION ALL
  SELECT 'base.social_accounts', 'base: table social_accounts', 'SHARE ROW EXCLUSIVE', '{public.users}', false,
         to_regclass('public.social_accounts') IS NOT NULL, NULL, $sql$
  CREATE TABLE public.social_accounts (
    id               uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    platform         public.social_platform NOT NULL,
    account_id       varchar(255) NOT NULL,
    username         varchar(255) NOT NULL,
    display_name     varchar(255),
    profile_url      varchar(500),
    access_token     text,
    refresh_token    text,
    token_expires_at timestamptz,
    is_active        boolean DEFAULT true,
    user_id          uuid NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    created_at       timestamptz DEFAULT now(),
    updated_at       timestamptz DEFAULT now(),
    UNIQUE (platform, account_id)
  );
  CREATE INDEX idx_social_accounts_user_id ON public.social_accounts (user_id);
  REVOKE ALL ON public.social_accounts FROM anon, authenticated;
  $sql$, NULL, NULL;
$$;

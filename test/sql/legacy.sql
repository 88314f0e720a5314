-- A SocialSync database from before webhooks, with what some of them have: an updated_at trigger, one account per
-- user and platform, a view of the application's, accounts that lack the ids webhooks need.
CREATE TYPE public.social_platform AS ENUM ('facebook', 'twitter', 'instagram', 'linkedin', 'youtube', 'tiktok',
  'whatsapp', 'reddit', 'x', 'website');

CREATE TABLE public.users (
  id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  email      varchar(255) UNIQUE NOT NULL,
  full_name  varchar(255),
  is_active  boolean DEFAULT true,
  created_at timestamptz DEFAULT now(),
  updated_at timestamptz DEFAULT now()
);

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
  UNIQUE (platform, account_id),
  UNIQUE (user_id, platform)
);

CREATE FUNCTION public.touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := now();
  RETURN NEW;
END $$;

CREATE TRIGGER touch_updated_at BEFORE UPDATE ON public.social_accounts
  FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at();

CREATE VIEW public.account_names AS
  SELECT a.id, a.username, u.full_name FROM public.social_accounts AS a JOIN public.users AS u ON u.id = a.user_id;

INSERT INTO public.users (id, email, full_name) VALUES
  ('00000000-0000-4000-8000-00000000000a', 'aline@example.org', 'Aline'),
  ('00000000-0000-4000-8000-00000000000b', 'bruno@example.org', 'Bruno');

INSERT INTO public.social_accounts (platform, account_id, username, display_name, access_token, user_id) VALUES
  ('whatsapp', 'wa_aline', 'aline', 'Chez Aline', 'token-aline', '00000000-0000-4000-8000-00000000000a'),
  ('instagram', 'ig_bruno', 'bruno', 'Bruno Photo', 'token-bruno', '00000000-0000-4000-8000-00000000000b'),
  ('youtube', 'yt_bruno', 'bruno', 'Bruno TV', NULL, '00000000-0000-4000-8000-00000000000b');

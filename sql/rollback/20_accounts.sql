-- ---------------------------------------------------------------------------------------------------------------
-- social_accounts: as it was found

CREATE OR REPLACE FUNCTION pg_temp.drop_trigger() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT pg_temp.run(format('DROP TRIGGER %I ON public.social_accounts', tgname))
  FROM pg_trigger
  WHERE tgrelid = to_regclass('public.social_accounts') AND tgname = 'socialsync_accounts_changed'
    AND tgfoid = to_regprocedure('socialsync.notify_accounts_changed()');
$$;

CREATE OR REPLACE FUNCTION pg_temp.drop_policies() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT pg_temp.run(format('DROP POLICY %I ON public.social_accounts', polname))
  FROM pg_policy
  WHERE polrelid = to_regclass('public.social_accounts') AND NOT pg_temp.was_found('policy ' || polname)
    AND polname IN ('webhooks_own_rows', 'webhooks_only_own_rows', 'webhooks_not_for_anon', 'webhooks_service',
                    'webhooks_no_own_claims',
                    'webhooks_own_writes', 'webhooks_application');
$$;

CREATE OR REPLACE FUNCTION pg_temp.restore_row_security() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT pg_temp.run('ALTER TABLE public.social_accounts DISABLE ROW LEVEL SECURITY')
  FROM pg_class
  WHERE oid = to_regclass('public.social_accounts') AND relrowsecurity AND NOT pg_temp.was_found('row security');
$$;

CREATE OR REPLACE FUNCTION pg_temp.drop_constraints() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT pg_temp.run(format('ALTER TABLE public.social_accounts DROP CONSTRAINT %I', conname))
  FROM pg_constraint
  WHERE conrelid = to_regclass('public.social_accounts') AND NOT pg_temp.was_found('constraint ' || conname)
    AND conname IN ('social_accounts_whatsapp_has_phone_number_id', 'social_accounts_instagram_has_page_id',
                    'social_accounts_webhook_status_known');
$$;

CREATE OR REPLACE FUNCTION pg_temp.drop_indexes() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT pg_temp.run(format('DROP INDEX public.%I', i))
  FROM unnest(ARRAY['idx_social_accounts_phone_number_id', 'idx_social_accounts_page_id']) AS i
  WHERE NOT pg_temp.was_found('index ' || i)
    AND EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('public.' || i)
                AND indrelid = to_regclass('public.social_accounts'));
$$;

CREATE OR REPLACE FUNCTION pg_temp.drop_columns() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT pg_temp.run('ALTER TABLE public.social_accounts '
                     || string_agg(format('DROP COLUMN %I', attname), ', ' ORDER BY attnum))
  FROM pg_attribute
  WHERE attrelid = to_regclass('public.social_accounts') AND NOT attisdropped
    AND NOT pg_temp.was_found('column ' || attname)
    AND attname IN ('phone_number_id', 'page_id', 'app_secret', 'verify_token', 'webhook_url', 'business_name',
                    'display_phone_number', 'webhook_events', 'webhook_status', 'last_webhook_at',
                    'webhook_metadata')
  HAVING count(*) > 0;
$$;

-- Privileges are kept in the order in which they were given: all are taken and given again. Those that somebody
-- passed on stay as they are, since taking them would take away what was passed on.
CREATE OR REPLACE FUNCTION pg_temp.take_grants() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  holder record;
BEGIN
  FOR holder IN
    SELECT DISTINCT CASE i.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(i.grantee)) END AS role
    FROM pg_class AS c,
         LATERAL (SELECT grantor, grantee FROM aclexplode(c.relacl) UNION
                  SELECT grantor, grantee FROM pg_attribute, aclexplode(attacl) WHERE attrelid = c.oid) AS i
    WHERE c.oid = 'public.social_accounts'::regclass AND i.grantor = c.relowner
  LOOP
    -- Whoever got rights after the update keeps them.
    CONTINUE WHEN holder.role NOT IN ('PUBLIC', 'anon', 'authenticated', 'service_role') AND NOT EXISTS (
      SELECT FROM socialsync.preimages, unnest(restore) AS r (statement)
      WHERE statement LIKE 'GRANT %'
        AND right(replace(statement, ' WITH GRANT OPTION', ''), length(' TO ' || holder.role)) = ' TO ' || holder.role);
    BEGIN
      EXECUTE format('REVOKE ALL ON public.social_accounts FROM %s', holder.role);
    EXCEPTION WHEN dependent_objects_still_exist THEN
      RAISE NOTICE '% passed its privileges on social_accounts on: they stay', holder.role;
    END;
  END LOOP;
END $$;

-- What the record says is to be done, then. A role that is gone gets nothing.
CREATE OR REPLACE FUNCTION pg_temp.restore_found() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  statement text;
BEGIN
  IF to_regclass('socialsync.preimages') IS NULL OR to_regclass('public.social_accounts') IS NULL THEN
    RETURN;
  END IF;
  PERFORM pg_temp.take_grants();
  FOR statement IN SELECT s FROM socialsync.preimages, unnest(restore) WITH ORDINALITY AS r (s, place)
                   ORDER BY object, place LOOP
    BEGIN
      RETURN NEXT pg_temp.run(statement);
    EXCEPTION WHEN undefined_object OR undefined_column THEN
      RETURN NEXT format('  stays  not restored: %s (%s)', statement, SQLERRM);
    END;
  END LOOP;
END $$;

-- The labels that the update added, taken away by making the type anew: PostgreSQL knows no other way. It writes the
-- table anew, while nobody can use it.
CREATE OR REPLACE FUNCTION pg_temp.rebuild_enum() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  added text[];
  used  bigint;
  preset text;
  comment text := obj_description(to_regtype('public.social_platform'), 'pg_type');
BEGIN
  IF to_regclass('socialsync.preimages') IS NULL THEN
    RETURN;
  END IF;
  added := ARRAY(SELECT enumlabel FROM pg_enum
                        WHERE enumtypid = 'public.social_platform'::regtype AND NOT pg_temp.was_found('label ' || enumlabel)
                          AND enumlabel IN ('facebook', 'instagram', 'whatsapp', 'whatsapp_business'));
  IF NOT EXISTS (SELECT FROM socialsync.preimages WHERE starts_with(object, 'label ')) OR added = '{}' THEN
    RETURN;
  END IF;
  EXECUTE 'SELECT count(*) FROM public.social_accounts WHERE platform::text = ANY ($1)' INTO used USING added;
  IF used > 0 THEN
    RAISE dependent_objects_still_exist USING MESSAGE = format(
      '%s account(s) are of platform %s: give them another one, or roll back without rebuilding the enum',
      used, array_to_string(added, ', '));
  END IF;
  SELECT pg_get_expr(adbin, adrelid) INTO preset FROM pg_attrdef AS d JOIN pg_attribute AS a
    ON a.attrelid = d.adrelid AND a.attnum = d.adnum
  WHERE d.adrelid = 'public.social_accounts'::regclass AND a.attname = 'platform';
  IF preset IS NOT NULL THEN
    RETURN NEXT pg_temp.run('ALTER TABLE public.social_accounts ALTER COLUMN platform DROP DEFAULT');
  END IF;
  RETURN NEXT pg_temp.run('ALTER TYPE public.social_platform RENAME TO social_platform_before_rollback');
  RETURN NEXT pg_temp.run(format('CREATE TYPE public.social_platform AS ENUM (%s)',
    (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum
     WHERE enumtypid = 'public.social_platform_before_rollback'::regtype AND enumlabel <> ALL (added))));
  RETURN NEXT pg_temp.run(format('ALTER TYPE public.social_platform OWNER TO %s',
    (SELECT typowner::regrole FROM pg_type WHERE oid = 'public.social_platform_before_rollback'::regtype)));
  RETURN NEXT pg_temp.run('ALTER TABLE public.social_accounts ALTER COLUMN platform TYPE public.social_platform '
                          'USING platform::text::public.social_platform');
  IF preset IS NOT NULL THEN
    RETURN NEXT pg_temp.run('ALTER TABLE public.social_accounts ALTER COLUMN platform SET DEFAULT ' || preset);
  END IF;
  IF comment IS NOT NULL THEN
    RETURN NEXT pg_temp.run(format('COMMENT ON TYPE public.social_platform IS %L', comment));
  END IF;
  RETURN NEXT pg_temp.run('DROP TYPE public.social_platform_before_rollback');
END $$;

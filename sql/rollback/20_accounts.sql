-- ---------------------------------------------------------------------------------------------------------------
-- social_accounts: restores its original state

CREATE OR REPLACE FUNCTION pg_temp.drop_trigger() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT pg_temp.run(format('DROP TRIGGER %I ON public.social_accounts', tgname))
  FROM pg_trigger
  WHERE tgrelid = to_regclass('public.social_accounts')
    AND (tgname, tgfoid) IN (('socialsync_accounts_changed', to_regprocedure('socialsync.notify_accounts_changed()')),
                             ('socialsync_webhook_url_given', to_regprocedure('socialsync.keep_primary_endpoint()')),
                             ('socialsync_webhook_url_changed', to_regprocedure('socialsync.keep_primary_endpoint()')),
                             ('socialsync_account_given', to_regprocedure('socialsync.give_endpoints()')))
  ORDER BY tgname;
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

-- Drops the update's CHECKs. restore_found() adds one again that existed before, NOT VALID.
CREATE OR REPLACE FUNCTION pg_temp.drop_constraints() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT pg_temp.run(format('ALTER TABLE public.social_accounts DROP CONSTRAINT %I', conname))
  FROM pg_constraint
  WHERE conrelid = to_regclass('public.social_accounts')
    AND (NOT pg_temp.was_found('constraint ' || conname) OR pg_temp.is_made_anew('constraint ' || conname))
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

-- The columns of social_accounts that the update added.
CREATE OR REPLACE FUNCTION pg_temp.our_columns() RETURNS TABLE (name text, place smallint) LANGUAGE sql AS $$
  SELECT attname, attnum
  FROM pg_attribute
  WHERE attrelid = to_regclass('public.social_accounts') AND NOT attisdropped
    AND NOT pg_temp.was_found('column ' || attname)
    AND attname IN ('phone_number_id', 'page_id', 'app_secret', 'verify_token', 'webhook_url', 'business_name',
                    'display_phone_number', 'webhook_events', 'webhook_status', 'last_webhook_at',
                    'webhook_metadata');
$$;

CREATE OR REPLACE FUNCTION pg_temp.drop_columns() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT pg_temp.run('ALTER TABLE public.social_accounts '
                     || string_agg(format('DROP COLUMN %I', name), ', ' ORDER BY place))
  FROM pg_temp.our_columns() HAVING count(*) > 0;
$$;

-- Revokes all privileges, which restore_found() grants again in their original order. Keeps the privileges of a role that
-- has granted them to others, because revoking would revoke those too.
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
    -- Roles with privileges granted after the update keep them.
    CONTINUE WHEN holder.role NOT IN ('PUBLIC', 'anon', 'authenticated', 'service_role') AND NOT EXISTS (
      SELECT FROM socialsync.preimages, unnest(restore) AS r (statement)
      WHERE statement LIKE 'GRANT %'
        AND right(replace(statement, ' WITH GRANT OPTION', ''), length(' TO ' || holder.role)) = ' TO ' || holder.role);
    BEGIN
      EXECUTE format('REVOKE ALL ON public.social_accounts FROM %s', holder.role);
    EXCEPTION WHEN dependent_objects_still_exist THEN
      RAISE NOTICE '% has granted its privileges on social_accounts to others: they stay', holder.role;
    END;
  END LOOP;
END $$;

-- Restores the recorded objects. Skips privileges of dropped roles.
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

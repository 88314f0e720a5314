-- ---------------------------------------------------------------------------------------------------------------
-- The type social_platform without the labels that the update added

CREATE OR REPLACE FUNCTION pg_temp.added_labels() RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  IF to_regclass('socialsync.preimages') IS NULL THEN
    RETURN;
  END IF;
  RETURN QUERY SELECT enumlabel::text FROM pg_enum
               WHERE enumtypid = to_regtype('public.social_platform') AND NOT pg_temp.was_found('label ' || enumlabel)
                 AND enumlabel IN ('facebook', 'instagram', 'whatsapp', 'whatsapp_business')
                 AND EXISTS (SELECT FROM socialsync.preimages WHERE starts_with(object, 'label '))
               ORDER BY enumsortorder;
END $$;

-- The labels that stay when the type is not rebuilt.
CREATE OR REPLACE FUNCTION pg_temp.residue() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT format('label %s of type social_platform', l) FROM pg_temp.added_labels() AS l;
$$;

-- Executes one GRANT as its original grantor. Returns the line of the report.
CREATE OR REPLACE FUNCTION pg_temp.grant_as(grantor name, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  role_before text := current_setting('role');
BEGIN
  PERFORM set_config('role', grantor, true);
  EXECUTE statement;
  PERFORM set_config('role', role_before, true);
  RETURN '  done   ' || statement;
EXCEPTION WHEN insufficient_privilege THEN
  RETURN format('  stays  not restored: %s (as %I; %s)', statement, grantor, SQLERRM);
END $$;

-- Copies the privileges of one type to another of the same owner, in their order and from their grantors.
CREATE OR REPLACE FUNCTION pg_temp.copy_privileges(from_type regtype, to_type regtype) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
  found pg_type;
  made  pg_type;
  role  text;
BEGIN
  SELECT * INTO found FROM pg_type WHERE oid = from_type;
  SELECT * INTO made FROM pg_type WHERE oid = to_type;
  IF found.typacl IS NOT DISTINCT FROM made.typacl THEN
    RETURN;
  END IF;
  FOR role IN SELECT DISTINCT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END
              FROM aclexplode(coalesce(made.typacl, acldefault('T', made.typowner))) LOOP
    EXECUTE format('REVOKE ALL ON TYPE %s FROM %s', to_type, role);
  END LOOP;
  RETURN QUERY
    SELECT CASE WHEN i.grantor = found.typowner THEN pg_temp.run(g.statement)
                ELSE pg_temp.grant_as(pg_get_userbyid(i.grantor), g.statement) END
    FROM aclexplode(coalesce(found.typacl, acldefault('T', found.typowner)))
           WITH ORDINALITY AS i (grantor, grantee, privilege_type, is_grantable, place),
         LATERAL (SELECT format('GRANT %s ON TYPE %s TO %s%s', i.privilege_type, to_type,
                                CASE i.grantee WHEN 0 THEN 'PUBLIC' ELSE i.grantee::regrole::text END,
                                CASE WHEN i.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)) AS g (statement)
    ORDER BY i.place;
END $$;

-- Indexes and CHECKs that compare the platform with a label: they would compare the new type with a label of the old one.
CREATE OR REPLACE FUNCTION pg_temp.uses_of_labels() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(thing, E'\n' ORDER BY thing)
  FROM (SELECT format('index %s: %s', indexrelid::regclass, pg_get_indexdef(indexrelid)) FROM pg_index
        WHERE indrelid = to_regclass('public.social_accounts')
          AND concat(pg_get_expr(indpred, indrelid), pg_get_expr(indexprs, indrelid)) LIKE '%::public.social_platform%'
        UNION ALL
        SELECT format('constraint %I: %s', conname, pg_get_constraintdef(oid)) FROM pg_constraint
        WHERE conrelid = to_regclass('public.social_accounts') AND contype = 'c'
          AND pg_get_constraintdef(oid) LIKE '%::public.social_platform%') AS uses (thing);
$$;

-- Rebuilds the type without the labels: PostgreSQL cannot drop one. Rewrites the table under an ACCESS EXCLUSIVE lock.
CREATE OR REPLACE FUNCTION pg_temp.rebuild_enum() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  added   text[] := ARRAY(SELECT pg_temp.added_labels());
  used    bigint;
  preset  text;
  comment text := obj_description(to_regtype('public.social_platform'), 'pg_type');
BEGIN
  IF added = '{}' THEN
    RETURN;
  END IF;
  EXECUTE 'SELECT count(*) FROM public.social_accounts WHERE platform::text = ANY ($1)' INTO used USING added;
  IF used > 0 THEN
    RAISE dependent_objects_still_exist USING MESSAGE = format(
      '%s account(s) have the platform %s: change it, or roll back without rebuilding the enum',
      used, array_to_string(added, ', '));
  END IF;
  IF pg_temp.uses_of_labels() IS NOT NULL THEN
    RAISE dependent_objects_still_exist USING DETAIL = pg_temp.uses_of_labels(), MESSAGE =
      'the type social_platform cannot be rebuilt, because these compare with its labels: compare platform::text instead, '
      'or roll back without rebuilding the enum';
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
  RETURN QUERY SELECT pg_temp.copy_privileges('public.social_platform_before_rollback', 'public.social_platform');
  IF comment IS NOT NULL THEN
    RETURN NEXT pg_temp.run(format('COMMENT ON TYPE public.social_platform IS %L', comment));
  END IF;
  RETURN NEXT pg_temp.run('DROP TYPE public.social_platform_before_rollback');
END $$;

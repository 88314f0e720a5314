-- A schema as sorted text, for servers that are newer than our pg_dump: a line for each thing, with all of it that
-- pg_dump would write. Things of extensions are left out.
WITH ours AS (
  SELECT n.oid, n.nspname, n.nspowner, n.nspacl FROM pg_namespace AS n
  WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
), relations AS (
  SELECT c.*, c.oid::regclass AS name FROM pg_class AS c JOIN ours ON ours.oid = c.relnamespace
  WHERE NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e')
), functions AS (
  SELECT p.* FROM pg_proc AS p JOIN ours ON ours.oid = p.pronamespace
  WHERE NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'e')
), lines (line) AS (
  SELECT format('schema %I: owner %s, rights %s, %L', nspname, nspowner::regrole,
                coalesce(nspacl, acldefault('n', nspowner)), obj_description(oid, 'pg_namespace'))
  FROM ours
  UNION ALL
  SELECT format('relation %s: kind %s, owner %s, rights %s, options %s, row security %s %s, key %s, bound %s, %L', name,
                relkind, relowner::regrole,
                CASE WHEN relkind IN ('r', 'p', 'v') THEN coalesce(relacl, acldefault('r', relowner)) ELSE relacl END,
                reloptions, relrowsecurity, relforcerowsecurity, pg_get_partkeydef(oid),
                pg_get_expr(relpartbound, oid), obj_description(oid, 'pg_class'))
  FROM relations WHERE relkind <> 'i' AND relkind <> 'I'
  UNION ALL
  SELECT format('column %s %s %I: %s, not null %s, default %s, rights %s, kind %L %L, %L', r.name,
                row_number() OVER (PARTITION BY r.oid ORDER BY a.attnum), a.attname,
                format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attacl,
                a.attidentity, a.attgenerated, col_description(r.oid, a.attnum))
  FROM relations AS r
  JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE r.relkind IN ('r', 'p', 'v')
  UNION ALL
  SELECT format('index %s: valid %s, %L', pg_get_indexdef(i.indexrelid), i.indisvalid AND i.indisready,
                obj_description(i.indexrelid, 'pg_class'))
  FROM pg_index AS i JOIN relations AS r ON r.oid = i.indexrelid
  UNION ALL
  SELECT format('constraint %I of %s: %s, valid %s, %L', c.conname, r.name, pg_get_constraintdef(c.oid),
                c.convalidated, obj_description(c.oid, 'pg_constraint'))
  FROM pg_constraint AS c JOIN relations AS r ON r.oid = c.conrelid
  UNION ALL
  SELECT format('trigger: %s, enabled %s, %L', pg_get_triggerdef(t.oid), t.tgenabled,
                obj_description(t.oid, 'pg_trigger'))
  FROM pg_trigger AS t JOIN relations AS r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal
  UNION ALL
  SELECT format('policy %I of %s: %s %s to %s using %s check %s, %L', p.polname, r.name, p.polpermissive, p.polcmd,
                p.polroles::regrole[], pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid),
                obj_description(p.oid, 'pg_policy'))
  FROM pg_policy AS p JOIN relations AS r ON r.oid = p.polrelid
  UNION ALL
  SELECT format('view %s: %s', name, pg_get_viewdef(oid)) FROM relations WHERE relkind = 'v'
  UNION ALL
  SELECT format('function: %s owner %s, rights %s, %L', pg_get_functiondef(oid), proowner::regrole,
                coalesce(proacl, acldefault('f', proowner)), obj_description(oid, 'pg_proc'))
  FROM functions
  UNION ALL
  SELECT format('type %s: owner %s, rights %s, %L', t.oid::regtype, t.typowner::regrole,
                coalesce(t.typacl, acldefault('T', t.typowner)), obj_description(t.oid, 'pg_type'))
  FROM pg_type AS t JOIN ours ON ours.oid = t.typnamespace WHERE t.typtype = 'e'
  UNION ALL
  SELECT format('label %s of %s: %s', row_number() OVER (PARTITION BY e.enumtypid ORDER BY e.enumsortorder),
                e.enumtypid::regtype, e.enumlabel)
  FROM pg_enum AS e
  UNION ALL
  SELECT format('default rights %s in %s: %s %s', defaclrole::regrole, defaclnamespace::regnamespace, defaclobjtype,
                defaclacl)
  FROM pg_default_acl
)
SELECT line FROM lines ORDER BY line COLLATE "C";

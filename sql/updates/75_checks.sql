-- ---------------------------------------------------------------------------------------------------------------
-- CHECKs, once the data satisfies them: even a NOT VALID one makes every UPDATE of a bad row fail

CREATE OR REPLACE FUNCTION pg_temp.violations(condition text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  violations bigint;
BEGIN
  EXECUTE 'SELECT count(*) FROM public.social_accounts WHERE ' || condition INTO violations;
  RETURN violations;
END $$;

CREATE OR REPLACE FUNCTION pg_temp.has_check(check_name text) RETURNS boolean LANGUAGE sql AS $$
  SELECT EXISTS (SELECT FROM pg_constraint
                 WHERE conrelid = 'public.social_accounts'::regclass AND conname = check_name);
$$;

CREATE OR REPLACE FUNCTION pg_temp.drop_check(check_name text) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.step(format('no CHECK %s: rows violate it', check_name), '{public.social_accounts}', false,
                      format('ALTER TABLE public.social_accounts DROP CONSTRAINT %I', check_name));
$$;

-- A row that violates it came after it was counted: the CHECK waits for a later run.
CREATE OR REPLACE FUNCTION pg_temp.validate_or_drop(check_name text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('lock_timeout', '60s', true);
  EXECUTE format('ALTER TABLE public.social_accounts VALIDATE CONSTRAINT %I', check_name);
  RETURN format('  made   CHECK %s holds for every row', check_name);
EXCEPTION WHEN check_violation THEN
  PERFORM pg_temp.drop_check(check_name);
  RETURN format('  later  CHECK %s: a row came that does not satisfy it; run this again', check_name);
END $$;

-- Rows are counted in one statement and CHECKs changed in others, so that no strong lock is held over a count.

-- Left over from a run that was interrupted, or made by hand: in the way of every UPDATE of a bad row.
SELECT format('SELECT pg_temp.drop_check(%L)', name)
FROM pg_temp.account_checks() AS k JOIN pg_constraint AS c ON c.conname = k.name
WHERE c.conrelid = 'public.social_accounts'::regclass AND NOT c.convalidated AND pg_temp.violations(violated_by) > 0
\gexec

SELECT CASE WHEN pg_temp.has_check(name) OR violations = 0
       THEN format('SELECT pg_temp.step(%L, %L, %L, %L)', 'CHECK ' || name, '{public.social_accounts}',
                   pg_temp.has_check(name),
                   format('ALTER TABLE public.social_accounts ADD CONSTRAINT %I %s NOT VALID', name, definition))
       ELSE format('SELECT %L', format('  later  CHECK %s: %s account(s) do not satisfy it yet; run this again when '
                                       'they do', name, violations))
       END
FROM (SELECT *, pg_temp.violations(violated_by) AS violations FROM pg_temp.account_checks() OFFSET 0) AS k
\gexec

-- In a transaction of its own: it only reads, and blocks nobody.
SELECT format('SELECT pg_temp.validate_or_drop(%L)', name)
FROM pg_temp.account_checks() AS k JOIN pg_constraint AS c ON c.conname = k.name
WHERE c.conrelid = 'public.social_accounts'::regclass AND NOT c.convalidated
\gexec

-- ---------------------------------------------------------------------------------------------------------------
-- CHECKs, added when all rows satisfy them: even a NOT VALID CHECK makes every UPDATE of a violating row fail

-- Raises data_blocks when a row violates it.
CREATE OR REPLACE FUNCTION pg_temp.require_satisfied(check_name text) RETURNS SETOF void LANGUAGE plpgsql AS $$
DECLARE
  wanted     record;
  violations text;
BEGIN
  SELECT * INTO wanted FROM pg_temp.account_checks() AS k WHERE k.name = check_name;
  violations := (SELECT r.found FROM pg_temp.rows_of_kind('check', 'do not satisfy it yet', wanted.violated_by) AS r);
  IF violations IS NOT NULL THEN
    PERFORM pg_temp.data_blocks(format(E'%s\n  run this again when they do; list them with: '
      'SELECT id FROM public.social_accounts WHERE %s', violations, wanted.violated_by));
  END IF;
END $$;

-- Validates the CHECK, which only reads and blocks no session. Drops it when a row violates it (left by an interrupted run,
-- created by hand, or the row is newer than the count): it would make every UPDATE of that row fail. A later run adds it.
CREATE OR REPLACE FUNCTION pg_temp.validate_or_drop(check_name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('lock_timeout', '60s', true);
  EXECUTE format('ALTER TABLE public.social_accounts VALIDATE CONSTRAINT %I', check_name);
EXCEPTION WHEN check_violation THEN
  PERFORM set_config('lock_timeout', '100ms', true);
  EXECUTE format('ALTER TABLE public.social_accounts DROP CONSTRAINT %I', check_name);
END $$;

CREATE OR REPLACE FUNCTION pg_temp.check_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $$
  SELECT steps.* FROM pg_temp.account_checks() AS k
  LEFT JOIN pg_constraint AS c ON c.conrelid = to_regclass('public.social_accounts') AND c.conname = k.name
  CROSS JOIN LATERAL (
    SELECT 'check.' || k.name, 'CHECK ' || k.name, 'ACCESS EXCLUSIVE', '{public.social_accounts}'::text[], false,
           c.oid IS NOT NULL, format('SELECT pg_temp.require_satisfied(%L)', k.name),
           format('ALTER TABLE public.social_accounts ADD CONSTRAINT %I %s NOT VALID', k.name, k.definition), NULL, NULL
    UNION ALL
    SELECT format('check.%s.valid', k.name), format('CHECK %s: validated or dropped', k.name),
           'SHARE UPDATE EXCLUSIVE', '{public.social_accounts}', false, c.convalidated, NULL,
           format('SELECT pg_temp.validate_or_drop(%L)', k.name), NULL, NULL
    WHERE c.oid IS NOT NULL) AS steps;
$$;

-- @run
-- ---------------------------------------------------------------------------------------------------------------
-- Runs all steps

\echo SocialSync Webhooks: updating :DBNAME

DO $$
DECLARE
  missing   text := (SELECT string_agg('  ' || m, E'\n') FROM pg_temp.missing_rights() AS m);
  conflicts text;
  warning   text;
BEGIN
  IF missing IS NOT NULL THEN
    RAISE insufficient_privilege USING
      MESSAGE = format(E'privileges of role %I are missing; nothing was changed. Missing:\n%s',
                       current_user, missing);
  END IF;
  conflicts := (SELECT string_agg('  ' || c, E'\n') FROM pg_temp.conflicts() AS c);
  IF conflicts IS NOT NULL THEN
    RAISE duplicate_object USING
      MESSAGE = E'objects of the same name exist with another definition; nothing was changed:\n' || conflicts;
  END IF;
  FOR warning IN SELECT w FROM pg_temp.access_warnings() AS w LOOP
    RAISE WARNING '%', warning;
  END LOOP;
END $$;

-- Runs one step in one transaction; repeats it while a lock is not free. Returns the line of the report.
CREATE OR REPLACE FUNCTION pg_temp.do_step(step_id text, part text, title text, tables text[]) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  vacuum text;
BEGIN
  FOR attempts IN 1..100 LOOP
    BEGIN
      RETURN CASE WHEN pg_temp.attempt(step_id, part) THEN '  made   ' ELSE '  there  ' END || title;
    EXCEPTION
      WHEN lock_not_available OR deadlock_detected THEN
        vacuum := pg_temp.wraparound_vacuum(tables);
        IF vacuum IS NOT NULL THEN
          RAISE lock_not_available USING
            MESSAGE = format('%s: its lock is held by %s, then run this again; all steps before it are done', title, vacuum);
        END IF;
        PERFORM pg_sleep(0.1 + random() * 0.4);
      WHEN SQLSTATE 'SS009' THEN
        RETURN format('  later  %s: %s', title, SQLERRM);
    END;
  END LOOP;
  RAISE lock_not_available USING
    MESSAGE = format('%s: no lock within 100 attempts; run this again later; all steps before it are done', title),
    DETAIL = 'Held by ' || coalesce(pg_temp.lock_holders(tables), 'a session that has ended');
END $$;

-- Each step is a separate statement, so that locks are short. Steps that must be alone cannot run inside a function
-- either.
SET lock_timeout = '5min';
-- When all steps are done, the list needs no second look.
SELECT CASE WHEN all_present THEN format('SELECT %L', '  there  ' || (step).title)
            WHEN (step).alone THEN (step).precheck
            ELSE format('SELECT pg_temp.do_step(%L, %L, %L, %L)', (step).id, part, (step).title, (step).tables) END,
       CASE WHEN (step).alone THEN (step).statements END,
       CASE WHEN (step).alone THEN format('SELECT %L', '  made   ' || (step).title) END
FROM (SELECT place, part, step, bool_and((step).present) OVER () AS all_present FROM pg_temp.steps()) AS listed
WHERE NOT ((step).alone AND (step).present)
ORDER BY place
\gexec
RESET lock_timeout;

-- Validates the CHECKs that were added above.
SELECT format('SELECT pg_temp.do_step(%L, %L, %L, %L)', (step).id, part, (step).title, (step).tables)
FROM pg_temp.steps() WHERE (step).id LIKE 'check.%.valid' AND NOT (step).present ORDER BY place
\gexec

DO $$
DECLARE
  leaks text := (SELECT string_agg('  ' || l, E'\n') FROM pg_temp.leaks() AS l);
BEGIN
  IF leaks IS NOT NULL THEN
    RAISE EXCEPTION E'all steps are done, but tenants can see each other''s rows (does a role inherit privileges?):\n%', leaks;
  END IF;
END $$;

SELECT pg_advisory_unlock_all() \g /dev/null
\echo 'SocialSync Webhooks: database' :DBNAME 'is up to date'

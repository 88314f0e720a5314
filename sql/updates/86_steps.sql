-- ---------------------------------------------------------------------------------------------------------------
-- All steps, in order

-- The steps of one part, by the name of the part's function.
CREATE OR REPLACE FUNCTION pg_temp.steps_of(part text) RETURNS SETOF pg_temp.step LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format('SELECT * FROM pg_temp.%I()', part);
END $$;

CREATE OR REPLACE FUNCTION pg_temp.steps() RETURNS TABLE (place bigint, part text, step pg_temp.step) LANGUAGE sql AS $$
  SELECT row_number() OVER (), p.part, s
  FROM unnest(ARRAY[
    'role_steps', 'base_steps', 'schema_steps', 'label_steps', 'column_steps', 'table_steps', 'delivery_steps',
    'endpoint_news_steps', 'partition_steps', 'function_steps', 'row_security_steps', 'grant_steps', 'view_steps',
    'index_steps', 'check_steps', 'owner_steps', 'maintenance_steps']) AS p (part),
    LATERAL pg_temp.steps_of(p.part) AS s;
$$;

-- One attempt inside a transaction: runs the step and stores its fingerprint. Returns false when the step is done. Raises
-- lock_not_available when a lock is not free within 100 ms, data_blocks when rows block the step.
CREATE OR REPLACE FUNCTION pg_temp.attempt(step_id text, part text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  wanted pg_temp.step;
BEGIN
  SELECT s.* INTO wanted FROM pg_temp.steps_of(part) AS s WHERE s.id = step_id;
  IF wanted.id IS NULL OR wanted.present THEN
    RETURN false;
  END IF;
  IF wanted.precheck IS NOT NULL THEN
    EXECUTE wanted.precheck;
  END IF;
  PERFORM pg_temp.run_with_short_locks(wanted.tables, wanted.statements);
  IF wanted.fingerprint IS NOT NULL THEN
    INSERT INTO socialsync.fingerprints
    SELECT step_id, md5(wanted.statements), md5(s.fingerprint) FROM pg_temp.steps_of(part) AS s WHERE s.id = step_id
    ON CONFLICT (step) DO UPDATE SET source = excluded.source, result = excluded.result;
  END IF;
  RETURN true;
END $$;

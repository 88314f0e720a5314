-- ---------------------------------------------------------------------------------------------------------------
-- The list: every step, in order

CREATE OR REPLACE FUNCTION pg_temp.steps() RETURNS TABLE (place bigint, step pg_temp.step) LANGUAGE sql AS $$
  SELECT row_number() OVER (), all_of.step
  FROM (SELECT pg_temp.role_steps() UNION ALL SELECT pg_temp.base_steps() UNION ALL SELECT pg_temp.schema_steps()
        UNION ALL SELECT pg_temp.label_steps()
        UNION ALL SELECT pg_temp.column_steps() UNION ALL SELECT pg_temp.table_steps()
        UNION ALL SELECT pg_temp.delivery_steps() UNION ALL SELECT pg_temp.endpoint_news_steps()
        UNION ALL SELECT pg_temp.partition_steps() UNION ALL SELECT pg_temp.function_steps()
        UNION ALL SELECT pg_temp.access_steps() UNION ALL SELECT pg_temp.view_steps()
        UNION ALL SELECT pg_temp.index_steps() UNION ALL SELECT pg_temp.check_steps()
        UNION ALL SELECT pg_temp.owner_steps() UNION ALL SELECT pg_temp.maintenance_steps()) AS all_of (step);
$$;

-- One attempt, inside a transaction: what a step has to do, and its fingerprint. Gives false when there is nothing to
-- do. Raises lock_not_available when a lock cannot be had within 100 ms, data_blocks when rows are in the way.
CREATE OR REPLACE FUNCTION pg_temp.attempt(step_id text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  wanted pg_temp.step;
BEGIN
  SELECT (s.step).* INTO wanted FROM pg_temp.steps() AS s WHERE (s.step).id = step_id;
  IF wanted.id IS NULL OR wanted.present THEN
    RETURN false;
  END IF;
  IF wanted.precheck IS NOT NULL THEN
    EXECUTE wanted.precheck;
  END IF;
  PERFORM pg_temp.run_with_short_locks(wanted.tables, wanted.statements);
  IF wanted.fingerprint IS NOT NULL THEN
    INSERT INTO socialsync.fingerprints
    SELECT step_id, md5(wanted.statements), md5((s.step).fingerprint) FROM pg_temp.steps() AS s
    WHERE (s.step).id = step_id
    ON CONFLICT (step) DO UPDATE SET source = excluded.source, result = excluded.result;
  END IF;
  RETURN true;
END $$;

-- Partitions for this week and the next two, and the default partition.
WITH weeks (monday) AS (
  SELECT date_trunc('week', now() AT TIME ZONE 'UTC') + make_interval(weeks => n) FROM generate_series(0, 2) AS n),
bounds (monday, first_id, end_id) AS (
  SELECT monday, rpad(lpad(to_hex((extract(epoch FROM monday) * 1000)::bigint), 12, '0'), 32, '0')::uuid,
         rpad(lpad(to_hex((extract(epoch FROM monday + interval '1 week') * 1000)::bigint), 12, '0'), 32, '0')::uuid
  FROM weeks),
wanted (name, bound) AS (
  SELECT format('the week of %s', monday::date), format('FOR VALUES FROM (%L) TO (%L)', first_id, end_id) FROM bounds
  UNION ALL VALUES ('odd times', 'DEFAULT'))
SELECT EXISTS (SELECT FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
               WHERE i.inhparent = to_regclass('public.webhook_logs')
                 AND pg_get_expr(c.relpartbound, c.oid) = w.bound) AS ok,
       format('no partition for %s', w.name) AS item,
       'SELECT * FROM socialsync.maintain_partitions(); a running gateway does it hourly' AS todo
FROM wanted AS w

-- SocialSync Webhooks: undoes schema_updates_webhooks.sql.
--
--     psql -d DATABASE -f schema_rollback_webhooks.sql
--
-- ATTENTION: the columns it added go with their data, and so do webhook_logs and webhook_quarantine: pg_dump first.
-- One transaction: all or nothing. Safe to run again, and on a database that was only updated in part. Never
-- CASCADE: where something of yours depends on something of ours it stops and names it. What stays:
--   - the labels added to the type social_platform, since PostgreSQL cannot take one away;
--   - the base (users, social_accounts) where the update made it for an empty database: it is SocialSync's own;
--   - roles that it made and that something else uses by now.

\set QUIET on
\set ON_ERROR_STOP on
\set AUTOCOMMIT on
\set SHOW_CONTEXT never
\pset tuples_only on
\pset format unaligned
\pset pager off

-- A run that was just killed still has its lock for a moment.
DO $$
BEGIN
  FOR attempt IN 1..15 LOOP
    EXIT WHEN pg_try_advisory_lock(hashtextextended('socialsync webhooks migration', 0));
    PERFORM pg_sleep(0.1);
    COMMIT;
  END LOOP;
END $$;
SELECT pg_try_advisory_lock(hashtextextended('socialsync webhooks migration', 0)) AS only_runner \gset
\if :only_runner
\else
  DO $$ BEGIN RAISE EXCEPTION 'another run is changing this database now: let it end, then run this again'; END $$;
\endif

SET client_encoding = 'UTF8';
SET client_min_messages = notice;
SET search_path = pg_catalog, pg_temp;
SET statement_timeout = 0;
SET row_security = off;
SET quote_all_identifiers = off;
SET standard_conforming_strings = on;
SET idle_in_transaction_session_timeout = 0;
-- What was changed before its locks were had must be seen.
SET default_transaction_isolation = 'read committed';
SELECT set_config(name, '0', false) FROM pg_settings
WHERE name IN ('transaction_timeout', 'idle_session_timeout') \g /dev/null
SET client_connection_check_interval = '2s';

\echo SocialSync Webhooks: rolling back :DBNAME

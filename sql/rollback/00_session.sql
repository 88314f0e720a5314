-- SocialSync Webhooks: undoes schema_updates_webhooks.sql.
--
--     psql -d DATABASE -f schema_rollback_webhooks.sql
--
-- ATTENTION: drops the added columns with their data, webhook_logs and webhook_quarantine: run pg_dump first.
-- One transaction: all or nothing. Safe to repeat, and on a partly updated database. Never uses CASCADE: it stops and names
-- an object of yours that depends on one of ours. It keeps:
--   - the labels added to the type social_platform, because PostgreSQL cannot drop a label;
--   - the base tables (users, social_accounts) that the update created in an empty database: they belong to SocialSync;
--   - roles that the update created and that other objects use now.

\set QUIET on
\set ON_ERROR_STOP on
\set AUTOCOMMIT on
\set SHOW_CONTEXT never
\pset tuples_only on
\pset format unaligned
\pset pager off

-- A killed run keeps its lock for a moment.
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
  DO $$ BEGIN RAISE EXCEPTION 'another run is changing this database: run this again when it has ended'; END $$;
\endif

SET client_encoding = 'UTF8';
SET client_min_messages = notice;
SET search_path = pg_catalog, pg_temp;
SET statement_timeout = 0;
SET row_security = off;
SET quote_all_identifiers = off;
SET standard_conforming_strings = on;
SET idle_in_transaction_session_timeout = 0;
-- Must see changes that were committed before it had its locks.
SET default_transaction_isolation = 'read committed';
SELECT set_config(name, '0', false) FROM pg_settings
WHERE name IN ('transaction_timeout', 'idle_session_timeout') \g /dev/null
SET client_connection_check_interval = '2s';

\echo SocialSync Webhooks: rolling back :DBNAME

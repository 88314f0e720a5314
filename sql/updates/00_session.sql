-- SocialSync Webhooks: brings a SocialSync database up to date for multi-tenant webhooks.
--
--     psql -d DATABASE -f schema_updates_webhooks.sql
--
-- Safe to repeat, on a live database, after any interruption: each step checks first whether it is done. Stops with
-- a non-zero status at the first error. Needs psql 14 or newer (web SQL editors lack its backslash commands), a direct
-- connection (no transaction pooler), and PostgreSQL 14 or newer. schema_rollback_webhooks.sql undoes it.

\set QUIET on
\set ON_ERROR_STOP on
\set AUTOCOMMIT on
\set SHOW_CONTEXT never
\pset tuples_only on
\pset format unaligned
\pset pager off

-- Indexes are built CONCURRENTLY, and a new enum label is usable only after its commit: one large transaction can do
-- neither, and would hold every lock to its end.
SELECT now() < statement_timestamp() AS in_transaction \gset
\if :in_transaction
  DO $$ BEGIN RAISE EXCEPTION 'run this file without -1 (--single-transaction) and outside BEGIN'; END $$;
\endif

-- Polls: a session that waits in the server for an advisory lock would deadlock with CREATE INDEX CONCURRENTLY. A
-- killed run keeps its lock for a moment.
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
-- A query whose rows row-level security would hide is an error.
SET row_security = off;
SET quote_all_identifiers = off;
SET standard_conforming_strings = on;
SET idle_in_transaction_session_timeout = 0;
SELECT set_config(name, '0', false) FROM pg_settings
WHERE name IN ('transaction_timeout', 'idle_session_timeout') \g /dev/null
SET default_transaction_isolation = 'read committed';
-- The bodies of the helper functions name objects of later steps.
SET check_function_bodies = off;
-- The server frees the locks of a killed psql soon, not at the end of its statement.
SET client_connection_check_interval = '2s';

DO $$
BEGIN
  IF current_setting('server_version_num')::int < 140000 THEN
    RAISE EXCEPTION 'PostgreSQL 14 or newer is needed; this server is %', current_setting('server_version');
  END IF;
  IF pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean THEN
    RAISE EXCEPTION 'this server is read-only (a standby?): connect to the primary';
  END IF;
  IF NOT has_database_privilege(current_database(), 'TEMP') THEN
    RAISE EXCEPTION 'privilege missing: GRANT TEMPORARY ON DATABASE % TO %',
      quote_ident(current_database()), quote_ident(current_user);
  END IF;
END $$;

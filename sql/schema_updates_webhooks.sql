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
-- @definitions: from here to @run there are no psql commands, for programs that run the steps themselves
-- ---------------------------------------------------------------------------------------------------------------
-- The type of a step, and functions to run one

DO $$
BEGIN
  IF to_regtype('pg_temp.step') IS NOT NULL THEN
    DROP TYPE pg_temp.step CASCADE;  -- left by an earlier run in this session
  END IF;
END $$;
CREATE TYPE pg_temp.step AS (
  id          text,     -- stable: scripts and the ledger name a step by it
  title       text,
  lock        text,     -- its strongest lock on a table of the application; null: none
  tables      text[],   -- the locked tables
  alone       boolean,  -- cannot share a transaction with another statement
  present     boolean,  -- done: the catalogue has exactly the objects that it creates
  precheck    text,     -- a query that raises data_blocks when rows block the step
  statements  text,
  fingerprint text,     -- identifies its objects, where the catalogue cannot be compared with the statements
  note        text);

-- Raises the error "rows block this step". The other steps continue.
CREATE OR REPLACE FUNCTION pg_temp.data_blocks(message text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'SS009', MESSAGE = message;
END $$;

-- Lists other sessions with locks on these tables, for the message of a blocked step.
CREATE OR REPLACE FUNCTION pg_temp.lock_holders(tables text[]) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(DISTINCT format('pid %s (%s, %s, transaction of %s)', a.pid, a.state,
                                    coalesce(nullif(a.application_name, ''), 'unnamed'),
                                    date_trunc('second', clock_timestamp() - a.xact_start)), '; ')
  FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
  WHERE l.relation = ANY (SELECT to_regclass(t) FROM unnest(tables) AS t) AND l.pid <> pg_backend_pid();
$$;

-- Lists autovacuums against wraparound on these tables; NULL: none. They do not yield to lock requests, and may run for
-- hours. Only members of pg_read_all_stats see them.
CREATE OR REPLACE FUNCTION pg_temp.wraparound_vacuum(tables text[]) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(DISTINCT format('pid %s, %s, which does not yield to lock requests: let it end (pg_stat_progress_vacuum shows its progress)',
                                    a.pid, a.query), '; ')
  FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
  WHERE l.relation = ANY (SELECT to_regclass(t) FROM unnest(tables) AS t) AND l.granted
    AND a.query LIKE 'autovacuum: %(to prevent wraparound)';
$$;

-- The time in which an autovacuum yields: it does so when the deadlock check runs.
CREATE OR REPLACE FUNCTION pg_temp.eviction_ms() RETURNS integer LANGUAGE sql AS $$
  SELECT setting::integer + 500 FROM pg_settings WHERE name = 'deadlock_timeout';
$$;

-- Runs the statements with short lock waits. SHARE UPDATE EXCLUSIVE first: it evicts autovacuum (within
-- deadlock_timeout, one second) and blocks no writer. Then at most 100 ms for the strong lock, behind which other sessions
-- queue.
CREATE OR REPLACE FUNCTION pg_temp.run_with_short_locks(tables text[], statements text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  t text;
BEGIN
  PERFORM set_config('lock_timeout', format('%sms', pg_temp.eviction_ms()), true);
  FOREACH t IN ARRAY tables LOOP
    IF has_table_privilege(to_regclass(t), 'UPDATE') THEN
      EXECUTE format('LOCK TABLE ONLY %s IN SHARE UPDATE EXCLUSIVE MODE', t::regclass);
    END IF;
  END LOOP;
  PERFORM set_config('lock_timeout', '100ms', true);
  EXECUTE statements;
END $$;

-- Like to_regclass() for `schema.name`, but without an error when the caller may not use the schema: every role may read
-- the catalogue.
CREATE OR REPLACE FUNCTION pg_temp.relation(qualified_name text) RETURNS regclass LANGUAGE sql STABLE AS $$
  SELECT oid::regclass FROM pg_class
  WHERE relnamespace = to_regnamespace(split_part(qualified_name, '.', 1))
    AND relname = split_part(qualified_name, '.', 2);
$$;

-- Like to_regprocedure() for `schema.name(types)`, with types as format_type() returns them.
CREATE OR REPLACE FUNCTION pg_temp.routine(signature text) RETURNS oid LANGUAGE sql STABLE AS $$
  SELECT oid FROM pg_proc
  WHERE pronamespace = to_regnamespace(split_part(signature, '.', 1))
    AND proname = split_part(split_part(signature, '(', 1), '.', 2)
    AND format('%s(%s)', split_part(signature, '(', 1), oidvectortypes(proargtypes)) = signature;
$$;

CREATE OR REPLACE FUNCTION pg_temp.may_read(tbl text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT has_schema_privilege(relnamespace, 'USAGE') AND has_table_privilege(oid, 'SELECT')
  FROM pg_class WHERE oid = pg_temp.relation(tbl);
$$;

-- Compares both halves of a fingerprint: the statements, and the resulting catalogue entries. Returns true for a role that
-- may not read fingerprints; access_warnings() reports it.
CREATE OR REPLACE FUNCTION pg_temp.has_fingerprint(step_id text, statements text, result text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
  IF pg_temp.may_read('socialsync.fingerprints') IS NOT TRUE THEN
    RETURN pg_temp.relation('socialsync.fingerprints') IS NOT NULL;
  END IF;
  RETURN EXISTS (SELECT FROM socialsync.fingerprints AS f
                 WHERE f.step = step_id AND f.source = md5(statements) AND f.result = md5(has_fingerprint.result));
END $$;

-- True for the comments of our objects. The update replaces, and the rollback drops, only objects with such a comment.
CREATE OR REPLACE FUNCTION pg_temp.is_ours(comment text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(starts_with(comment, 'SocialSync Webhooks: '), false);
$$;
-- ---------------------------------------------------------------------------------------------------------------
-- The final state of objects that may exist before the update

-- The columns that the update adds to social_accounts.
CREATE OR REPLACE FUNCTION pg_temp.new_columns()
RETURNS TABLE (name text, type text, default_value text) LANGUAGE sql AS $$
  VALUES
    ('phone_number_id',      'character varying(100)',   NULL),
    ('page_id',              'character varying(100)',   NULL),
    ('app_secret',           'character varying(1000)',  NULL),  -- an encrypted secret is longer
    ('verify_token',         'character varying(1000)',  NULL),
    ('webhook_url',          'character varying(500)',   NULL),
    ('business_name',        'character varying(255)',   NULL),
    ('display_phone_number', 'character varying(20)',    NULL),
    ('webhook_events',       'text[]',                   NULL),
    ('webhook_status',       'character varying(50)',    '''inactive''::character varying'),
    ('last_webhook_at',      'timestamp with time zone', NULL),
    ('webhook_metadata',     'jsonb',                    '''{}''::jsonb');
$$;

-- Required columns of the application's tables, and columns of our tables, which may exist before the update. A type
-- without length matches any length.
CREATE OR REPLACE FUNCTION pg_temp.needed_columns()
RETURNS TABLE (tbl text, name text, types text[]) LANGUAGE sql AS $$
  VALUES
    ('public.users', 'id', ARRAY['uuid']),
    ('public.users', 'email', ARRAY['character varying', 'text']),
    ('public.social_accounts', 'id', ARRAY['uuid']),
    ('public.social_accounts', 'platform', ARRAY['public.social_platform']),
    ('public.social_accounts', 'account_id', ARRAY['character varying', 'text']),
    ('public.social_accounts', 'username', ARRAY['character varying', 'text']),
    ('public.social_accounts', 'display_name', ARRAY['character varying', 'text']),
    ('public.social_accounts', 'access_token', ARRAY['text', 'character varying']),
    ('public.social_accounts', 'refresh_token', ARRAY['text', 'character varying']),
    ('public.social_accounts', 'is_active', ARRAY['boolean']),
    ('public.social_accounts', 'user_id', ARRAY['uuid']),
    ('public.social_accounts', 'created_at', ARRAY['timestamp with time zone', 'timestamp without time zone']),
    ('public.webhook_logs', 'id', ARRAY['uuid']),
    ('public.webhook_logs', 'social_account_id', ARRAY['uuid']),
    ('public.webhook_logs', 'platform', ARRAY['public.social_platform']),
    ('public.webhook_logs', 'webhook_type', ARRAY['character varying(50)']),
    ('public.webhook_logs', 'payload', ARRAY['jsonb']),
    ('public.webhook_logs', 'exact_payload', ARRAY['bytea']),
    ('public.webhook_logs', 'status', ARRAY['character varying(50)']),
    ('public.webhook_logs', 'processing_time_ms', ARRAY['integer']),
    ('public.webhook_logs', 'error_message', ARRAY['text']),
    ('public.webhook_logs', 'external_message_id', ARRAY['character varying(255)']),
    ('public.webhook_logs', 'customer_identifier', ARRAY['character varying(255)']),
    ('public.webhook_logs', 'user_id', ARRAY['uuid']),
    ('public.webhook_logs', 'created_at', ARRAY['timestamp with time zone']),
    ('public.webhook_quarantine', 'id', ARRAY['uuid']),
    ('public.webhook_quarantine', 'reason', ARRAY['text']),
    ('public.webhook_quarantine', 'platform', ARRAY['text']),
    ('public.webhook_quarantine', 'routing_key', ARRAY['text']),
    ('public.webhook_quarantine', 'webhook_type', ARRAY['text']),
    ('public.webhook_quarantine', 'detail', ARRAY['text']),
    ('public.webhook_quarantine', 'signed_by', ARRAY['text']),
    ('public.webhook_quarantine', 'body', ARRAY['bytea']),
    ('public.webhook_quarantine', 'event_time', ARRAY['timestamp with time zone']),
    ('public.webhook_quarantine', 'created_at', ARRAY['timestamp with time zone']),
    ('public.webhook_endpoints', 'id', ARRAY['uuid']),
    ('public.webhook_endpoints', 'social_account_id', ARRAY['uuid']),
    ('public.webhook_endpoints', 'place', ARRAY['smallint']),
    ('public.webhook_endpoints', 'url', ARRAY['character varying(500)']),
    ('public.webhook_endpoints', 'description', ARRAY['text']),
    ('public.webhook_endpoints', 'format', ARRAY['text']),
    ('public.webhook_endpoints', 'app_secret', ARRAY['character varying(1000)']),
    ('public.webhook_endpoints', 'signing_secret', ARRAY['character varying(1000)']),
    ('public.webhook_endpoints', 'previous_signing_secret', ARRAY['character varying(1000)']),
    ('public.webhook_endpoints', 'previous_signing_secret_until', ARRAY['timestamp with time zone']),
    ('public.webhook_endpoints', 'headers', ARRAY['jsonb']),
    ('public.webhook_endpoints', 'webhook_events', ARRAY['text[]']),
    ('public.webhook_endpoints', 'is_enabled', ARRAY['boolean']),
    ('public.webhook_endpoints', 'disabled_because', ARRAY['text']),
    ('public.webhook_endpoints', 'is_ordered', ARRAY['boolean']),
    ('public.webhook_endpoints', 'concurrent_max', ARRAY['integer']),
    ('public.webhook_endpoints', 'per_second_max', ARRAY['integer']),
    ('public.webhook_endpoints', 'failing_since', ARRAY['timestamp with time zone']),
    ('public.webhook_endpoints', 'warned_percent', ARRAY['smallint']),
    ('public.webhook_endpoints', 'created_at', ARRAY['timestamp with time zone']),
    ('public.webhook_deliveries', 'event_id', ARRAY['uuid']),
    ('public.webhook_deliveries', 'endpoint_id', ARRAY['uuid']),
    ('public.webhook_deliveries', 'due_at', ARRAY['timestamp with time zone']),
    ('public.webhook_deliveries', 'attempts', ARRAY['smallint']),
    ('public.webhook_deliveries', 'conversation', ARRAY['bigint']),
    ('public.webhook_deliveries', 'position', ARRAY['bigint']),
    ('public.webhook_deliveries', 'created_at', ARRAY['timestamp with time zone']),
    ('public.webhook_delivery_attempts', 'attempted_at', ARRAY['timestamp with time zone']),
    ('public.webhook_delivery_attempts', 'event_id', ARRAY['uuid']),
    ('public.webhook_delivery_attempts', 'endpoint_id', ARRAY['uuid']),
    ('public.webhook_delivery_attempts', 'attempt', ARRAY['smallint']),
    ('public.webhook_delivery_attempts', 'http_status', ARRAY['smallint']),
    ('public.webhook_delivery_attempts', 'took_ms', ARRAY['integer']),
    ('public.webhook_delivery_attempts', 'error', ARRAY['text']),
    ('public.webhook_delivery_attempts', 'detail', ARRAY['text']),
    ('public.webhook_delivery_attempts', 'response_head', ARRAY['bytea']);
$$;

-- Definitions as pg_get_indexdef() returns them. The index step adds CONCURRENTLY.
CREATE OR REPLACE FUNCTION pg_temp.unique_indexes()
RETURNS TABLE (name text, column_name text, definition text) LANGUAGE sql AS $$
  SELECT format('idx_social_accounts_%s', c), c,
         format('CREATE UNIQUE INDEX idx_social_accounts_%1$s ON public.social_accounts USING btree (%1$s) '
                'WHERE (%1$s IS NOT NULL)', c)
  FROM unnest(ARRAY['phone_number_id', 'page_id']) AS c;
$$;

-- CHECKs on social_accounts as pg_get_constraintdef() returns them, and a condition for the rows that violate each.
CREATE OR REPLACE FUNCTION pg_temp.account_checks()
RETURNS TABLE (name text, definition text, violated_by text) LANGUAGE sql AS $$
  VALUES
    ('social_accounts_whatsapp_has_phone_number_id',
     'CHECK ((((platform)::text <> ALL (ARRAY[''whatsapp''::text, ''whatsapp_business''::text])) '
     'OR (phone_number_id IS NOT NULL)))',
     'platform::text IN (''whatsapp'', ''whatsapp_business'') AND phone_number_id IS NULL'),
    ('social_accounts_instagram_has_page_id',
     'CHECK ((((platform)::text <> ''instagram''::text) OR (page_id IS NOT NULL)))',
     'platform::text = ''instagram'' AND page_id IS NULL'),
    ('social_accounts_webhook_status_known',
     'CHECK (((webhook_status)::text = ANY (ARRAY[''inactive''::text, ''active''::text, ''error''::text])))',
     'webhook_status NOT IN (''inactive'', ''active'', ''error'')');
$$;

-- Policies, with `condition` as pg_get_expr() returns it.
CREATE OR REPLACE FUNCTION pg_temp.policies()
RETURNS TABLE (tbl text, name text, kind text, command text, grantee text, condition text) LANGUAGE sql AS $$
  SELECT t, p.* FROM unnest(ARRAY['public.social_accounts', 'public.webhook_logs']) AS t,
    (VALUES
      ('webhooks_own_rows', 'PERMISSIVE', 'SELECT', 'authenticated', '(user_id = ( SELECT auth.uid() AS uid))'),
      -- Permissive policies add up, and an older one may allow more: restrictive policies bound them all.
      ('webhooks_only_own_rows', 'RESTRICTIVE', 'ALL', 'authenticated', '(user_id = ( SELECT auth.uid() AS uid))'),
      ('webhooks_not_for_anon', 'RESTRICTIVE', 'ALL', 'anon', 'false'),
      ('webhooks_service', 'PERMISSIVE', 'ALL', 'service_role', 'true')) AS p
  UNION ALL
  -- The account with a Page's id receives its events: only the service may insert such accounts, not the user.
  VALUES ('public.social_accounts', 'webhooks_no_own_claims', 'RESTRICTIVE', 'INSERT', 'authenticated',
          '((platform)::text <> ALL (ARRAY[''whatsapp''::text, ''whatsapp_business''::text, ''instagram''::text, '
          '''facebook''::text]))')
  UNION ALL
  SELECT 'public.' || t, 'webhooks_service', 'PERMISSIVE', 'ALL', 'service_role', 'true'
  FROM unnest(ARRAY['webhook_quarantine', 'webhook_endpoints', 'webhook_deliveries', 'webhook_delivery_attempts']) AS t;
$$;

-- The tables with row-level security: each of their rows belongs to a tenant.
CREATE OR REPLACE FUNCTION pg_temp.walled_tables() RETURNS SETOF text LANGUAGE sql STABLE AS $$
  SELECT DISTINCT tbl FROM pg_temp.policies() ORDER BY tbl;
$$;

-- The functions that programs call.
CREATE OR REPLACE FUNCTION pg_temp.public_functions()
RETURNS TABLE (name text, arguments text) LANGUAGE sql AS $$
  VALUES
    ('get_whatsapp_user_by_phone_number_id', 'character varying'),
    ('get_instagram_user_by_page_id', 'character varying'),
    ('log_webhook', 'uuid, public.social_platform, character varying, jsonb, character varying, character varying'),
    ('mark_webhook_processed', 'uuid, integer, text'),
    ('claim_webhooks', 'uuid, integer, interval');
$$;

-- The trigger as pg_get_triggerdef() returns it: its columns are those that the gateway uses to route and verify.
CREATE OR REPLACE FUNCTION pg_temp.account_trigger() RETURNS text LANGUAGE sql AS $$
  SELECT 'CREATE TRIGGER socialsync_accounts_changed AFTER INSERT OR DELETE OR UPDATE OF platform, account_id, '
         'user_id, is_active, phone_number_id, page_id, app_secret, verify_token, display_phone_number, '
         'webhook_events, webhook_metadata OR TRUNCATE ON public.social_accounts '
         'FOR EACH STATEMENT EXECUTE FUNCTION socialsync.notify_accounts_changed()';
$$;
-- ---------------------------------------------------------------------------------------------------------------
-- Before any change: the privileges of the caller

-- The statement that gives the caller all privileges of a role. Since PostgreSQL 16 each membership has its own INHERIT
-- and SET options; SET is needed to make the role an owner.
CREATE OR REPLACE FUNCTION pg_temp.grant_membership(owner oid) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN current_setting('server_version_num')::integer >= 160000
         THEN format('GRANT %I TO %I WITH INHERIT TRUE, SET TRUE', pg_get_userbyid(owner), current_user)
         ELSE concat_ws('; ', CASE WHEN NOT pg_has_role(owner, 'MEMBER')
                                   THEN format('GRANT %I TO %I', pg_get_userbyid(owner), current_user) END,
                        CASE WHEN NOT (SELECT rolinherit FROM pg_roles WHERE rolname = current_user)
                             THEN format('ALTER ROLE %I INHERIT', current_user) END) END;
$$;

CREATE OR REPLACE FUNCTION pg_temp.may_become(owner oid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT pg_has_role(owner, CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'SET'
                                 ELSE 'MEMBER' END);
$$;

-- Lists missing privileges with the statements that grant them, where needed after a colon and before a parenthesis.
CREATE OR REPLACE FUNCTION pg_temp.missing_rights() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT format('to own %s %s: %s (or run this as %I)', lower(kind), name,
                CASE WHEN (SELECT rolsuper FROM pg_roles WHERE oid = owner)
                     THEN format('ALTER %s %s OWNER TO %I', kind, name, current_user)
                     ELSE pg_temp.grant_membership(owner) END, pg_get_userbyid(owner))
  FROM (SELECT 'TABLE' AS kind, oid::regclass::text AS name, relowner AS owner FROM pg_class
        WHERE oid = to_regclass('public.social_accounts')
        UNION ALL
        SELECT 'TYPE', oid::regtype::text, typowner FROM pg_type WHERE oid = to_regtype('public.social_platform')
        UNION ALL
        SELECT 'SCHEMA', nspname, nspowner FROM pg_namespace WHERE nspname = 'socialsync') AS owned
  WHERE NOT pg_has_role(owner, 'USAGE')
  UNION ALL
  SELECT format('to make the owner of %s the owner of new objects: %s (or run this as %I)', oid::regclass,
                pg_temp.grant_membership(relowner), pg_get_userbyid(relowner))
  FROM pg_class
  WHERE oid = to_regclass('public.social_accounts') AND pg_has_role(relowner, 'USAGE')
    AND NOT pg_temp.may_become(relowner)
  UNION ALL
  SELECT format('GRANT CREATE, USAGE ON SCHEMA public TO %I', current_user)
  WHERE NOT has_schema_privilege('public', 'CREATE') OR NOT has_schema_privilege('public', 'USAGE')
  UNION ALL
  -- The owner of social_accounts becomes the owner of objects that an administrator or a member creates.
  SELECT format('GRANT CREATE ON SCHEMA public TO %I', pg_get_userbyid(relowner))
  FROM pg_class WHERE oid = to_regclass('public.social_accounts') AND relowner <> quote_ident(current_user)::regrole
    AND NOT has_schema_privilege(relowner, 'public', 'CREATE')
  UNION ALL
  SELECT format('GRANT SELECT ON public.users TO %I', pg_get_userbyid(relowner))
  FROM pg_class WHERE oid = to_regclass('public.social_accounts') AND to_regclass('public.users') IS NOT NULL
    AND relowner <> quote_ident(current_user)::regrole AND NOT has_table_privilege(relowner, 'public.users', 'SELECT')
  UNION ALL
  SELECT format('GRANT CREATE ON DATABASE %I TO %I', current_database(), current_user)
  WHERE NOT has_database_privilege(current_database(), 'CREATE')
    AND (to_regnamespace('socialsync') IS NULL OR to_regnamespace('auth') IS NULL)
  UNION ALL
  SELECT format('GRANT CREATE ON SCHEMA auth TO %I', current_user)
  WHERE to_regnamespace('auth') IS NOT NULL AND NOT has_schema_privilege('auth', 'CREATE')
    AND NOT EXISTS (SELECT FROM pg_proc WHERE pronamespace = to_regnamespace('auth') AND proname = 'uid')
  UNION ALL
  SELECT format('GRANT CREATE ON SCHEMA auth TO %I', pg_get_userbyid(relowner))
  FROM pg_class WHERE oid = to_regclass('public.social_accounts') AND relowner <> quote_ident(current_user)::regrole
    AND to_regnamespace('auth') IS NOT NULL AND NOT has_schema_privilege(relowner, 'auth', 'CREATE')
    AND pg_temp.routine('auth.uid()') IS NULL AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
  UNION ALL
  SELECT format('GRANT USAGE ON SCHEMA auth TO %I', current_user)
  WHERE to_regnamespace('auth') IS NOT NULL AND NOT has_schema_privilege('auth', 'USAGE')
  UNION ALL
  SELECT format('GRANT SELECT, REFERENCES ON public.users TO %I', current_user)
  WHERE to_regclass('public.users') IS NOT NULL
    AND NOT (has_table_privilege('public.users', 'SELECT') AND has_table_privilege('public.users', 'REFERENCES'))
  UNION ALL
  -- FORCE hides rows from the owner too: the update could not check them, nor the rollback export them. Partitions are
  -- created with the privileges of the owner, whichever role runs this.
  SELECT DISTINCT format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY (or ALTER ROLE %I BYPASSRLS)', c.oid::regclass, r.rolname)
  FROM pg_class AS c JOIN pg_roles AS r ON r.rolname = current_user OR r.oid = c.relowner
  WHERE c.relforcerowsecurity AND (c.oid = to_regclass('public.users') OR c.oid IN (SELECT to_regclass(t) FROM pg_temp.walled_tables() AS t))
    AND NOT (r.rolsuper OR r.rolbypassrls)
  UNION ALL
  SELECT format('CREATE ROLE %I NOLOGIN (as an administrator, or a role with CREATEROLE)', wanted)
  FROM unnest(ARRAY['anon', 'authenticated', 'service_role']) AS wanted
  WHERE to_regrole(wanted) IS NULL
    AND NOT (SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user);
$$;
-- ---------------------------------------------------------------------------------------------------------------
-- Before any change: objects with our names and other definitions

CREATE OR REPLACE FUNCTION pg_temp.column_conflicts() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT CASE WHEN a.attname IS NULL THEN format('column %s.%s is missing, wanted %s', n.tbl, n.name, n.types[1])
              ELSE format('column %s.%s is %s, wanted %s', n.tbl, n.name, format_type(a.atttypid, a.atttypmod),
                          array_to_string(n.types, ' or ')) END
  FROM pg_temp.needed_columns() AS n
  LEFT JOIN pg_attribute AS a
    ON a.attrelid = to_regclass(n.tbl) AND a.attname = n.name AND a.attnum > 0 AND NOT a.attisdropped
  WHERE to_regclass(n.tbl) IS NOT NULL
    AND (a.attname IS NULL OR (format_type(a.atttypid, a.atttypmod) <> ALL (n.types)
                               AND format_type(a.atttypid, NULL) <> ALL (n.types)))
  UNION ALL
  SELECT format('column public.social_accounts.%s is %s, wanted %s', n.name,
                format_type(a.atttypid, a.atttypmod) || coalesce(' default ' || d.value, ''),
                n.type || coalesce(' default ' || n.default_value, ''))
  FROM pg_temp.new_columns() AS n
  JOIN pg_attribute AS a
    ON a.attrelid = to_regclass('public.social_accounts') AND a.attname = n.name AND NOT a.attisdropped
  LEFT JOIN LATERAL (SELECT pg_get_expr(adbin, adrelid) AS value FROM pg_attrdef
                     WHERE adrelid = a.attrelid AND adnum = a.attnum) AS d ON true
  WHERE NOT (format_type(a.atttypid, a.atttypmod) = n.type
             -- Columns of secrets may be narrower: a short secret fits even when it is encrypted.
             OR n.name IN ('app_secret', 'verify_token') AND format_type(a.atttypid, NULL) = 'character varying'
                AND (a.atttypmod = -1 OR a.atttypmod >= 255 + 4))
     OR d.value <> coalesce(n.default_value, 'NULL') OR a.attnotnull OR a.attgenerated <> '';
$$;

CREATE OR REPLACE FUNCTION pg_temp.relation_conflicts() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT 'public.social_accounts exists, but public.users does not'
  WHERE to_regclass('public.social_accounts') IS NOT NULL AND to_regclass('public.users') IS NULL
  UNION ALL
  SELECT format('%s exists but is not a table partitioned by range (id): rename it, then run this again', oid::regclass)
  FROM pg_class WHERE oid = to_regclass('public.webhook_logs')
    AND (relkind <> 'p' OR pg_get_partkeydef(oid) <> 'RANGE (id)')
  UNION ALL
  SELECT format('%s exists but is not a table partitioned by range (attempted_at): rename it, then run this again',
                oid::regclass)
  FROM pg_class WHERE oid = to_regclass('public.webhook_delivery_attempts')
    AND (relkind <> 'p' OR pg_get_partkeydef(oid) <> 'RANGE (attempted_at)')
  UNION ALL
  SELECT format('%s exists but is not a plain table', oid::regclass)
  FROM pg_class WHERE oid = ANY (ARRAY[to_regclass('public.webhook_quarantine'), to_regclass('public.users'),
                                       to_regclass('public.webhook_endpoints'), to_regclass('public.webhook_deliveries'),
                                       to_regclass('public.social_accounts')]::oid[]) AND relkind NOT IN ('r', 'p')
  UNION ALL
  -- Rows of inheriting tables would have no foreign key, no unique id and no policy.
  SELECT format('public.social_accounts %s: this update supports only a plain table', why)
  FROM pg_class AS c, LATERAL (
    SELECT 'is partitioned' AS why WHERE c.relkind = 'p'
    UNION ALL
    SELECT 'inherits from ' || string_agg(inhparent::regclass::text, ', ') FROM pg_inherits WHERE inhrelid = c.oid
    HAVING count(*) > 0
    UNION ALL
    SELECT 'has children: ' || string_agg(inhrelid::regclass::text, ', ') FROM pg_inherits
    WHERE inhparent = c.oid AND c.relkind <> 'p' HAVING count(*) > 0
    UNION ALL
    SELECT 'is a table of type ' || c.reloftype::regtype WHERE c.reloftype <> 0) AS other
  WHERE c.oid = to_regclass('public.social_accounts')
  UNION ALL
  SELECT format('%s is not permanent (unlogged, or temporary): webhook_logs cannot refer to it', oid::regclass)
  FROM pg_class WHERE oid = ANY (ARRAY[to_regclass('public.users'), to_regclass('public.social_accounts')]::oid[])
    AND relpersistence <> 'p'
  UNION ALL
  SELECT format('%s exists and is not the view of this file: rename or drop it', oid::regclass)
  FROM pg_class
  WHERE oid = ANY (ARRAY[to_regclass('public.active_webhook_accounts'),
                         to_regclass('public.webhook_stats_by_user')]::oid[])
    AND NOT (relkind = 'v' AND pg_temp.is_ours(obj_description(oid, 'pg_class')))
  UNION ALL
  SELECT 'schema socialsync exists and was not made by this file: rename or drop it'
  FROM pg_namespace WHERE nspname = 'socialsync' AND NOT pg_temp.is_ours(obj_description(oid, 'pg_namespace'))
  UNION ALL
  SELECT format('%s has no primary or unique key on id alone', tbl::regclass)
  FROM unnest(ARRAY[to_regclass('public.users'), to_regclass('public.social_accounts'),
                    to_regclass('public.webhook_logs')]) AS tbl
  WHERE NOT EXISTS (SELECT FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = tbl AND a.attname = 'id'
                    WHERE i.indrelid = tbl AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
                      AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum) AND tbl IS NOT NULL;
$$;

CREATE OR REPLACE FUNCTION pg_temp.definition_conflicts() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT format('%s is %s, wanted %s', i.name, coalesce(pg_get_indexdef(x.indexrelid), 'another kind of object'),
                i.definition)
  FROM pg_temp.unique_indexes() AS i LEFT JOIN pg_index AS x ON x.indexrelid = to_regclass('public.' || i.name)
  WHERE to_regclass('public.' || i.name) IS NOT NULL
    AND pg_get_indexdef(x.indexrelid) IS DISTINCT FROM i.definition
  UNION ALL
  SELECT format('constraint %s is %s, wanted %s', k.name, pg_get_constraintdef(c.oid), k.definition)
  FROM pg_temp.account_checks() AS k
  JOIN pg_constraint AS c ON c.conrelid = to_regclass('public.social_accounts') AND c.conname = k.name
  WHERE replace(pg_get_constraintdef(c.oid), ' NOT VALID', '') <> k.definition
  UNION ALL
  SELECT format('policy %s on %s is %s FOR %s TO %s USING %s WITH CHECK %s, wanted %s FOR %s TO %s USING %s', p.name,
                p.tbl, have.permissive, have.cmd, have.roles, have.qual, have.with_check,
                p.kind, p.command, p.grantee, p.condition)
  FROM pg_temp.policies() AS p
  JOIN pg_policies AS have ON format('%s.%s', have.schemaname, have.tablename) = p.tbl AND have.policyname = p.name
  WHERE (have.permissive, have.cmd, have.roles, have.qual, have.with_check) IS DISTINCT FROM
        (p.kind, p.command, ARRAY[p.grantee]::name[], CASE WHEN p.command <> 'INSERT' THEN p.condition END,
         CASE WHEN p.command = 'INSERT' THEN p.condition END)
  UNION ALL
  SELECT format('trigger %s on public.social_accounts is %s', t.tgname, pg_get_triggerdef(t.oid))
  FROM pg_trigger AS t
  WHERE t.tgrelid = to_regclass('public.social_accounts') AND t.tgname = 'socialsync_accounts_changed'
    AND t.tgfoid IS DISTINCT FROM pg_temp.routine('socialsync.notify_accounts_changed()');
$$;

-- A second function of the same name would make calls ambiguous, so the name alone is a conflict.
CREATE OR REPLACE FUNCTION pg_temp.function_conflicts() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT format('function %s returning %s exists and is not the one of this file: rename or drop it',
                p.oid::regprocedure, pg_get_function_result(p.oid))
  FROM pg_proc AS p JOIN pg_temp.public_functions() AS f ON f.name = p.proname
  WHERE p.pronamespace = 'public'::regnamespace AND NOT pg_temp.is_ours(obj_description(p.oid, 'pg_proc'))
  UNION ALL
  SELECT format('function auth.uid() returns %s, wanted uuid', pg_get_function_result(oid))
  FROM pg_proc WHERE oid = pg_temp.routine('auth.uid()') AND prorettype <> 'uuid'::regtype
  UNION ALL
  SELECT format('type public.social_platform is missing, but social_accounts.platform is %s, wanted in schema public: '
                'ALTER TYPE %s SET SCHEMA public', t.oid::regtype, t.oid::regtype)
  FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
  WHERE a.attrelid = to_regclass('public.social_accounts') AND a.attname = 'platform' AND t.typname = 'social_platform'
    AND to_regtype('public.social_platform') IS NULL
  UNION ALL
  SELECT 'type public.social_platform is not an enum'
  FROM pg_type WHERE oid = to_regtype('public.social_platform') AND typtype <> 'e';
$$;

CREATE OR REPLACE FUNCTION pg_temp.conflicts() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT pg_temp.column_conflicts() UNION ALL SELECT pg_temp.relation_conflicts()
  UNION ALL SELECT pg_temp.definition_conflicts() UNION ALL SELECT pg_temp.function_conflicts();
$$;
-- ---------------------------------------------------------------------------------------------------------------
-- The roles of the web API, with Supabase's names; created where they are missing

-- Roles belong to the whole server: a run in another database may create them at the same time.
CREATE OR REPLACE FUNCTION pg_temp.make_role(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE ROLE %I NOLOGIN', name);
  EXECUTE format('COMMENT ON ROLE %I IS %L', name,
                 'SocialSync Webhooks: created by schema_updates_webhooks.sql');
EXCEPTION WHEN duplicate_object OR unique_violation THEN
  NULL;
END $$;

CREATE OR REPLACE FUNCTION pg_temp.role_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $$
  SELECT 'role.' || wanted, 'role ' || wanted, NULL, '{}'::text[], false, to_regrole(wanted) IS NOT NULL, NULL,
         format('SELECT pg_temp.make_role(%L)', wanted), NULL, NULL
  FROM unnest(ARRAY['anon', 'authenticated', 'service_role']) AS wanted
  UNION ALL
  SELECT 'schema.auth', 'schema auth', NULL, '{}', false, to_regnamespace('auth') IS NOT NULL, NULL, $sql$
  CREATE SCHEMA auth;
  COMMENT ON SCHEMA auth IS 'SocialSync Webhooks: created by schema_updates_webhooks.sql';
  GRANT USAGE ON SCHEMA auth TO anon, authenticated, service_role;
  $sql$, NULL, NULL
  UNION ALL
  -- The web API sets the claims for each request: the signed-in user is the `sub` of the verified token.
  SELECT 'function.auth_uid', 'function auth.uid()', NULL, '{}', false, pg_temp.routine('auth.uid()') IS NOT NULL,
         NULL, $sql$
  CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $body$
    SELECT coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
                    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid
  $body$;
  COMMENT ON FUNCTION auth.uid() IS
    'SocialSync Webhooks: created by schema_updates_webhooks.sql';
  GRANT EXECUTE ON FUNCTION auth.uid() TO anon, authenticated, service_role;
  $sql$, NULL, NULL;
$$;
-- ---------------------------------------------------------------------------------------------------------------
-- The base tables of SocialSync, for an empty database

-- Revokes default privileges of the web API's roles: only row-level security and the grants below open these tables.
CREATE OR REPLACE FUNCTION pg_temp.base_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $$
  SELECT 'base.type', 'base: type social_platform', NULL, '{}'::text[], false,
         to_regtype('public.social_platform') IS NOT NULL, NULL, $sql$
  CREATE TYPE public.social_platform AS ENUM ('facebook', 'twitter', 'instagram', 'linkedin', 'youtube', 'tiktok',
    'whatsapp', 'whatsapp_business', 'reddit', 'x', 'website');
  $sql$, NULL, NULL
  UNION ALL
  SELECT 'base.users', 'base: table users', NULL, '{}', false, to_regclass('public.users') IS NOT NULL, NULL, $sql$
  CREATE TABLE public.users (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email      varchar(255) UNIQUE NOT NULL,
    full_name  varchar(255),
    is_active  boolean DEFAULT true,
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now()
  );
  REVOKE ALL ON public.users FROM anon, authenticated;
  $sql$, NULL, NULL
  UNION ALL
  SELECT 'base.social_accounts', 'base: table social_accounts', 'SHARE ROW EXCLUSIVE', '{public.users}', false,
         to_regclass('public.social_accounts') IS NOT NULL, NULL, $sql$
  CREATE TABLE public.social_accounts (
    id               uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    platform         public.social_platform NOT NULL,
    account_id       varchar(255) NOT NULL,
    username         varchar(255) NOT NULL,
    display_name     varchar(255),
    profile_url      varchar(500),
    access_token     text,
    refresh_token    text,
    token_expires_at timestamptz,
    is_active        boolean DEFAULT true,
    user_id          uuid NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    created_at       timestamptz DEFAULT now(),
    updated_at       timestamptz DEFAULT now(),
    UNIQUE (platform, account_id)
  );
  CREATE INDEX idx_social_accounts_user_id ON public.social_accounts (user_id);
  REVOKE ALL ON public.social_accounts FROM anon, authenticated;
  $sql$, NULL, NULL;
$$;
-- ---------------------------------------------------------------------------------------------------------------
-- Records the state before the first update, which the rollback restores

-- The GRANT statements that restore the privileges of a table and its columns, in their order; only those granted by the
-- owner, who can grant them again.
CREATE OR REPLACE FUNCTION pg_temp.grants_of(tbl regclass) RETURNS text[] LANGUAGE sql AS $$
  SELECT array_agg(format('GRANT %s ON TABLE %s TO %s%s', granted, tbl,
                          CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
                          CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
                   ORDER BY attnum, first_item)
  FROM (SELECT 0 AS attnum, min(n) AS first_item, grantee, is_grantable, string_agg(privilege_type, ', ') AS granted
        FROM pg_class AS c,
             aclexplode(coalesce(c.relacl, acldefault('r', c.relowner)))
               WITH ORDINALITY AS i (grantor, grantee, privilege_type, is_grantable, n)
        WHERE c.oid = tbl AND grantor = c.relowner
        GROUP BY grantee, is_grantable
        UNION ALL
        SELECT a.attnum, min(n), grantee, is_grantable, string_agg(format('%s (%I)', privilege_type, a.attname), ', ')
        FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND NOT a.attisdropped,
             aclexplode(a.attacl) WITH ORDINALITY AS i (grantor, grantee, privilege_type, is_grantable, n)
        WHERE c.oid = tbl AND grantor = c.relowner
        GROUP BY a.attnum, grantee, is_grantable) AS items;
$$;

-- Roles in the syntax of CREATE POLICY.
CREATE OR REPLACE FUNCTION pg_temp.role_list(roles oid[]) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END, ', ' ORDER BY place)
  FROM unnest(roles) WITH ORDINALITY AS listed (r, place);
$$;

-- One row for each existing object: its name, and the SQL that restores it where the update changes it.
CREATE OR REPLACE FUNCTION pg_temp.found() RETURNS TABLE (object text, restore text[]) LANGUAGE sql AS $$
  SELECT 'grants', pg_temp.grants_of(to_regclass('public.social_accounts'))
  UNION ALL
  SELECT 'row security', '{}'::text[] FROM pg_class WHERE oid = to_regclass('public.social_accounts') AND relrowsecurity
  UNION ALL
  SELECT 'authenticated reads all columns', '{}'
  WHERE has_table_privilege(to_regrole('authenticated')::oid, to_regclass('public.social_accounts')::oid, 'SELECT')
  UNION ALL
  SELECT 'label ' || enumlabel, '{}' FROM pg_enum WHERE enumtypid = to_regtype('public.social_platform')
  UNION ALL
  SELECT 'column ' || n.name,
         CASE WHEN n.default_value IS NOT NULL AND NOT a.atthasdef
              THEN ARRAY[format('ALTER TABLE public.social_accounts ALTER COLUMN %I DROP DEFAULT', n.name)]
              ELSE '{}' END
  FROM pg_temp.new_columns() AS n
  JOIN pg_attribute AS a ON a.attrelid = to_regclass('public.social_accounts') AND a.attname = n.name
                        AND NOT a.attisdropped
  UNION ALL
  SELECT 'index ' || i.name, '{}' FROM pg_temp.unique_indexes() AS i
  JOIN pg_index AS x ON x.indexrelid = to_regclass('public.' || i.name) AND x.indisvalid
  UNION ALL
  -- The update validates a NOT VALID constraint, or drops it when rows violate it.
  SELECT 'constraint ' || k.name,
         CASE WHEN c.convalidated THEN '{}' ELSE array_remove(ARRAY[
           format('ALTER TABLE public.social_accounts ADD CONSTRAINT %I %s', k.name, pg_get_constraintdef(c.oid)),
           format('COMMENT ON CONSTRAINT %I ON public.social_accounts IS %L', k.name,
                  obj_description(c.oid, 'pg_constraint'))], CASE WHEN obj_description(c.oid, 'pg_constraint') IS NULL
           THEN format('COMMENT ON CONSTRAINT %I ON public.social_accounts IS NULL', k.name) END) END
  FROM pg_temp.account_checks() AS k
  JOIN pg_constraint AS c ON c.conrelid = to_regclass('public.social_accounts') AND c.conname = k.name
  UNION ALL
  SELECT 'policy ' || p.name, '{}' FROM pg_temp.policies() AS p
  JOIN pg_policy AS c ON c.polrelid = to_regclass('public.social_accounts') AND c.polname = p.name
  WHERE p.tbl = 'public.social_accounts'
  UNION ALL
  SELECT 'policy ' || polname,
         -- The update may add roles to this policy.
         CASE polname WHEN 'webhooks_application'
         THEN ARRAY[format('ALTER POLICY %I ON public.social_accounts TO %s', polname, pg_temp.role_list(polroles))]
         ELSE '{}' END
  FROM pg_policy
  WHERE polrelid = to_regclass('public.social_accounts')
    AND polname IN ('webhooks_application', 'webhooks_own_writes');
$$;

CREATE OR REPLACE FUNCTION pg_temp.schema_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $$
  SELECT 'schema.socialsync', 'schema socialsync, and the state before the update', NULL, '{}'::text[], false,
         to_regnamespace('socialsync') IS NOT NULL, NULL, $sql$
  CREATE SCHEMA socialsync;
  COMMENT ON SCHEMA socialsync IS
    'SocialSync Webhooks: internal objects, outside of public, which web APIs expose';
  CREATE TABLE socialsync.preimages (
    object   text PRIMARY KEY,
    restore  text[] NOT NULL,
    found_at timestamptz NOT NULL DEFAULT now()
  );
  COMMENT ON TABLE socialsync.preimages IS
    'SocialSync Webhooks: the state of public.social_accounts before the first update, for schema_rollback_webhooks.sql';
  INSERT INTO socialsync.preimages SELECT * FROM pg_temp.found();
  REVOKE ALL ON SCHEMA socialsync FROM PUBLIC, anon, authenticated;
  GRANT USAGE ON SCHEMA socialsync TO service_role;
  REVOKE ALL ON socialsync.preimages FROM PUBLIC, anon, authenticated, service_role;
  $sql$, NULL, NULL
  UNION ALL
  SELECT 'ledger', 'ledger of runs and steps', NULL, '{}', false,
         pg_temp.relation('socialsync.fingerprints') IS NOT NULL, NULL, $sql$
  CREATE TABLE socialsync.fingerprints (
    step   text PRIMARY KEY,
    source text NOT NULL,
    result text NOT NULL
  );
  COMMENT ON TABLE socialsync.fingerprints IS
    'SocialSync Webhooks: fingerprints of objects created by steps, to detect later changes';
  CREATE TABLE socialsync.migration_steps (
    run         uuid NOT NULL,
    step        text NOT NULL,
    state       text NOT NULL,
    attempts    integer NOT NULL,
    began_at    timestamptz NOT NULL,
    ended_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    statements  text NOT NULL,
    note        text
  );
  COMMENT ON TABLE socialsync.migration_steps IS
    'SocialSync Webhooks: the steps done by each run of socialsync migrate';
  REVOKE ALL ON socialsync.fingerprints, socialsync.migration_steps FROM PUBLIC, anon, authenticated, service_role;
  $sql$, NULL, NULL;
$$;

CREATE OR REPLACE FUNCTION pg_temp.label_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $$
  -- One statement for each label: it is usable only after its commit. A new type is created with all labels.
  SELECT 'label.' || wanted, format('label %s of type social_platform', wanted), NULL, '{}'::text[], true,
         to_regtype('public.social_platform') IS NULL
         OR EXISTS (SELECT FROM pg_enum WHERE enumtypid = to_regtype('public.social_platform') AND enumlabel = wanted),
         NULL, format('ALTER TYPE public.social_platform ADD VALUE IF NOT EXISTS %L', wanted), NULL,
         'PostgreSQL cannot take a label away again'
  FROM unnest(ARRAY['facebook', 'instagram', 'whatsapp', 'whatsapp_business']) AS wanted;
$$;
-- ---------------------------------------------------------------------------------------------------------------
-- social_accounts: columns

CREATE OR REPLACE FUNCTION pg_temp.column_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $$
  -- One ALTER for all: each makes every prepared SELECT * fail until it is prepared again.
  SELECT 'columns', 'columns of social_accounts', 'ACCESS EXCLUSIVE', '{public.social_accounts}'::text[],
         false, missing IS NULL AND to_regclass('public.social_accounts') IS NOT NULL, NULL,
         'ALTER TABLE public.social_accounts ' || missing, NULL, format('%s of 11 columns; nothing is rewritten', count)
  FROM (SELECT string_agg(format('ADD COLUMN %I %s%s', n.name, n.type, ' DEFAULT ' || n.default_value), ', '), count(*)
        FROM pg_temp.new_columns() AS n
        WHERE NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('public.social_accounts')
                          AND attname = n.name AND NOT attisdropped)) AS columns (missing, count)
  UNION ALL
  -- For columns that existed before the update.
  SELECT 'defaults', 'defaults of social_accounts', 'ACCESS EXCLUSIVE', '{public.social_accounts}', false,
         missing IS NULL, NULL, 'ALTER TABLE public.social_accounts ' || missing, NULL, NULL
  FROM (SELECT string_agg(format('ALTER COLUMN %I SET DEFAULT %s', n.name, n.default_value), ', ')
        FROM pg_temp.new_columns() AS n JOIN pg_attribute AS a ON a.attname = n.name AND NOT a.attisdropped
        WHERE a.attrelid = to_regclass('public.social_accounts') AND n.default_value IS NOT NULL AND NOT a.atthasdef)
       AS columns (missing);
$$;
-- ---------------------------------------------------------------------------------------------------------------
-- Tables of events

-- Definitions, comments and privileges of functions and views as text, without their owner, to detect changes. Null when
-- one is missing. Leaves out privileges of other roles, such as the gateway's.
CREATE OR REPLACE FUNCTION pg_temp.made_of(functions text[], views text[]) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(concat_ws('|', definition, comment, items), E'\n' ORDER BY definition)
  FROM (SELECT pg_get_functiondef(p.oid), p.proacl, p.proowner, obj_description(p.oid, 'pg_proc')
        FROM unnest(functions) AS f JOIN pg_proc AS p ON p.oid = pg_temp.routine(f)
        UNION ALL
        SELECT concat_ws('|', c.oid::regclass, pg_get_viewdef(c.oid), c.reloptions), c.relacl, c.relowner,
               obj_description(c.oid, 'pg_class')
        FROM unnest(views) AS v JOIN pg_class AS c ON c.oid = pg_temp.relation(v)) AS made (definition, acl, owner, comment)
  LEFT JOIN LATERAL (
    SELECT string_agg(concat_ws('=', nullif(grantee, owner), privilege_type), ','
                      ORDER BY nullif(grantee, owner) NULLS FIRST, privilege_type)
    FROM aclexplode(acl)
    WHERE grantee IN (0, owner) OR grantee IN (SELECT oid FROM pg_roles
                                               WHERE rolname IN ('anon', 'authenticated', 'service_role')))
    AS granted (items) ON true
  HAVING count(*) = cardinality(functions) + cardinality(views);
$$;

-- A step that creates functions and views; done while they are unchanged.
CREATE OR REPLACE FUNCTION pg_temp.definition_step(id text, title text, functions text[], views text[], statements text)
RETURNS pg_temp.step LANGUAGE sql AS $$
  SELECT ROW(id, title, NULL, '{}'::text[], false, made IS NOT NULL AND pg_temp.has_fingerprint(id, statements, made),
             NULL, statements, coalesce(made, ''), NULL)::pg_temp.step
  FROM pg_temp.made_of(functions, views) AS made;
$$;

CREATE OR REPLACE FUNCTION pg_temp.table_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $steps$
  -- Ids are UUIDs of version 8: 48 bits of Unix milliseconds, then bits of a digest (in the gateway, so that a repeated
  -- event has the same id) or random bits (here). They sort by time: id is both primary key and partition key.
  SELECT * FROM pg_temp.definition_step('function.ids', 'functions for ids of webhook_logs',
    '{socialsync.new_log_id(timestamp with time zone), socialsync.first_log_id(timestamp with time zone)}', '{}', $sql$
CREATE OR REPLACE FUNCTION socialsync.new_log_id(at timestamptz DEFAULT clock_timestamp()) RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
  SELECT encode(set_byte(bits, 6, (get_byte(bits, 6) & 15) | 128), 'hex')::uuid
  FROM (SELECT overlay(uuid_send(gen_random_uuid())
                       PLACING substring(int8send(floor(extract(epoch FROM at) * 1000)::bigint) FROM 3)
                       FROM 1 FOR 6)) AS random (bits);
$$;
COMMENT ON FUNCTION socialsync.new_log_id(timestamptz) IS
  'SocialSync Webhooks: a new id for webhook_logs, ordered by time';

-- For partition bounds, and for queries that should scan few partitions:
-- WHERE id >= socialsync.first_log_id(now() - interval '1 day').
CREATE OR REPLACE FUNCTION socialsync.first_log_id(at timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT rpad(lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0'), 32, '0')::uuid;
$$;
COMMENT ON FUNCTION socialsync.first_log_id(timestamptz) IS
  'SocialSync Webhooks: the smallest id of webhook_logs for this time';
REVOKE ALL ON FUNCTION socialsync.new_log_id(timestamptz), socialsync.first_log_id(timestamptz)
  FROM PUBLIC, anon, authenticated;
GRANT EXECUTE ON FUNCTION socialsync.new_log_id(timestamptz), socialsync.first_log_id(timestamptz) TO service_role;
$sql$)
  UNION ALL
  -- Row-level security is enabled in the transaction that creates the table. Partitions have no policies: their rows are
  -- visible only through webhook_logs.
  SELECT 'table.webhook_logs', 'table webhook_logs', 'SHARE ROW EXCLUSIVE', '{public.users, public.social_accounts}',
         false, to_regclass('public.webhook_logs') IS NOT NULL, NULL, $sql$
  CREATE TABLE public.webhook_logs (
    id                  uuid PRIMARY KEY DEFAULT socialsync.new_log_id(now()),
    social_account_id   uuid REFERENCES public.social_accounts (id) ON DELETE CASCADE,
    platform            public.social_platform NOT NULL,
    webhook_type        varchar(50) NOT NULL,
    payload             jsonb NOT NULL,
    status              varchar(50) DEFAULT 'received'
                        CONSTRAINT webhook_logs_status_known
                        CHECK (status::text = ANY (ARRAY['received', 'processed', 'error', 'ignored'])),
    processing_time_ms  integer,
    error_message       text,
    external_message_id varchar(255),
    customer_identifier varchar(255),
    user_id             uuid REFERENCES public.users (id) ON DELETE CASCADE,
    created_at          timestamptz DEFAULT now(),
    exact_payload       bytea
  ) PARTITION BY RANGE (id);
  COMMENT ON TABLE public.webhook_logs IS
    'SocialSync Webhooks: one row for each event; weekly partitions by the time in id (socialsync.maintain_partitions)';
  COMMENT ON COLUMN public.webhook_logs.exact_payload IS
    'the event''s original bytes; only where jsonb cannot hold them and payload was repaired';
  CREATE INDEX idx_webhook_logs_account ON public.webhook_logs (social_account_id, created_at DESC);
  CREATE INDEX idx_webhook_logs_user ON public.webhook_logs (user_id, created_at DESC);
  CREATE INDEX idx_webhook_logs_created_at ON public.webhook_logs (created_at DESC);
  CREATE INDEX idx_webhook_logs_external_message_id ON public.webhook_logs USING hash (external_message_id);
  ALTER TABLE public.webhook_logs ENABLE ROW LEVEL SECURITY;
  REVOKE ALL ON public.webhook_logs FROM PUBLIC, anon, authenticated;
  CREATE TABLE socialsync.webhook_logs_default PARTITION OF public.webhook_logs DEFAULT;
  COMMENT ON TABLE socialsync.webhook_logs_default IS
    'SocialSync Webhooks: events whose time no weekly partition covers';
  ALTER TABLE socialsync.webhook_logs_default ENABLE ROW LEVEL SECURITY;
  REVOKE ALL ON socialsync.webhook_logs_default FROM PUBLIC, anon, authenticated;
  $sql$, NULL, NULL
  UNION ALL
  SELECT 'table.webhook_quarantine', 'table webhook_quarantine', NULL, '{}', false,
         to_regclass('public.webhook_quarantine') IS NOT NULL, NULL, $sql$
  CREATE TABLE public.webhook_quarantine (
    id           uuid PRIMARY KEY DEFAULT socialsync.new_log_id(now()),
    reason       text NOT NULL
                 CONSTRAINT webhook_quarantine_reason_known
                 CHECK (reason IN ('not_json', 'not_a_webhook', 'too_deep', 'too_many_events', 'unreadable',
                                   'unknown_account', 'inactive_account', 'ambiguous_account', 'secret_mismatch',
                                   'rejected_by_database')),
    platform     text,
    routing_key  text,
    webhook_type text,
    detail       text,
    signed_by    text,
    body         bytea NOT NULL,
    event_time   timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now()
  );
  COMMENT ON TABLE public.webhook_quarantine IS
    'SocialSync Webhooks: signed webhooks that could not be parsed or routed; show a body with socialsync.readable(body)';
  COMMENT ON COLUMN public.webhook_quarantine.signed_by IS
    'fingerprint of the secret that signed it: it may be routed only to an account with that secret';
  CREATE INDEX idx_webhook_quarantine_created_at ON public.webhook_quarantine (created_at);
  CREATE INDEX idx_webhook_quarantine_routing_key ON public.webhook_quarantine (routing_key)
    WHERE routing_key IS NOT NULL;
  ALTER TABLE public.webhook_quarantine ENABLE ROW LEVEL SECURITY;
  REVOKE ALL ON public.webhook_quarantine FROM PUBLIC, anon, authenticated;
  $sql$, NULL, NULL
  UNION ALL
  -- A repeated event without a time of its own has another id: the gateway looks up its identity here first.
  SELECT 'table.webhook_event_keys', 'table webhook_event_keys', NULL, '{}', false,
         pg_temp.relation('socialsync.webhook_event_keys') IS NOT NULL, NULL, $sql$
  CREATE TABLE socialsync.webhook_event_keys (
    key     uuid PRIMARY KEY,
    log_id  uuid NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now()
  );
  COMMENT ON TABLE socialsync.webhook_event_keys IS
    'SocialSync Webhooks: identities of events without a time of their own, kept for eight days';
  REVOKE ALL ON socialsync.webhook_event_keys FROM PUBLIC, anon, authenticated;
  $sql$, NULL, NULL;
$steps$;
-- ---------------------------------------------------------------------------------------------------------------
-- Partitions of webhook_logs, and retention

-- The required weekly partitions, oldest first: from two weeks ago, because Meta repeats events for days. The schema
-- socialsync gets a copy of this function.
CREATE OR REPLACE FUNCTION pg_temp.wanted_partitions(weeks_ahead integer, keep_from timestamptz)
RETURNS TABLE (name text, monday timestamp) LANGUAGE sql STABLE AS $$
  SELECT 'webhook_logs_p' || to_char(week, 'YYYYMMDD'), week
  FROM date_trunc('week', now() AT TIME ZONE 'UTC') AS this_week,
       generate_series(this_week - interval '2 weeks', this_week + make_interval(weeks => weeks_ahead),
                       interval '1 week') AS week
  WHERE keep_from IS NULL OR (week + interval '1 week') AT TIME ZONE 'UTC' > keep_from
  ORDER BY week;
$$;

-- The required partitions of webhook_delivery_attempts, from this week on.
CREATE OR REPLACE FUNCTION pg_temp.wanted_attempt_partitions(weeks_ahead integer)
RETURNS TABLE (name text, monday timestamp) LANGUAGE sql STABLE AS $$
  SELECT 'webhook_delivery_attempts_p' || to_char(week, 'YYYYMMDD'), week
  FROM date_trunc('week', now() AT TIME ZONE 'UTC') AS this_week,
       generate_series(this_week, this_week + make_interval(weeks => weeks_ahead), interval '1 week') AS week
  ORDER BY week;
$$;

-- The statement that creates the same function in the schema socialsync.
CREATE OR REPLACE FUNCTION pg_temp.copied(function regprocedure) RETURNS text LANGUAGE sql AS $$
  SELECT regexp_replace(pg_get_functiondef(function), ' pg_temp(_\d+)?\.', ' socialsync.') || ';';
$$;

-- Creates functions and revokes their default privileges in one transaction.
CREATE OR REPLACE FUNCTION pg_temp.partition_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $steps$
  SELECT * FROM pg_temp.definition_step('function.partitions', 'functions for partitions and retention',
    '{"socialsync.lock_for_partition_change(text[], boolean)",
      "socialsync.create_partition(text, timestamp without time zone)",
      "socialsync.add_partition(text, timestamp without time zone)", socialsync.weekly_partitions(),
      "socialsync.wanted_partitions(integer, timestamp with time zone)",
      "socialsync.delete_expired(timestamp with time zone)", "socialsync.maintain_partitions(integer, integer)",
      socialsync.wanted_attempt_partitions(integer), "socialsync.maintain_attempts(integer, integer)",
      socialsync.leave_room_for_updates(),
      socialsync.readable(bytea)}', '{}',
    pg_temp.copied('pg_temp.wanted_partitions(integer, timestamptz)')
    || pg_temp.copied('pg_temp.wanted_attempt_partitions(integer)') || $sql$
-- Takes the locks for a change of partitions. Waits at most 50 ms for each, because other sessions queue behind it; the
-- application's tables come last, so that their lock waits for no other. Dropping a partition blocks every query of
-- webhook_logs; adding one blocks only inserts into the default partition, whose rows would move during the insert.
CREATE OR REPLACE FUNCTION socialsync.lock_for_partition_change(to_drop text[], stop_inserts boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '60s' AS $$
DECLARE
  name text;
BEGIN
  FOR attempt IN 1..100 LOOP
    BEGIN
      -- Evicts autovacuum, within a second, before other sessions queue behind the strong lock.
      PERFORM set_config('lock_timeout', '1500ms', true);
      LOCK TABLE ONLY public.webhook_logs, socialsync.webhook_logs_default IN SHARE UPDATE EXCLUSIVE MODE;
      PERFORM set_config('lock_timeout', '50ms', true);
      IF to_drop <> '{}' THEN
        LOCK TABLE ONLY public.webhook_logs IN ACCESS EXCLUSIVE MODE;
      ELSIF stop_inserts THEN
        LOCK TABLE ONLY public.webhook_logs IN SHARE ROW EXCLUSIVE MODE;
      END IF;
      FOREACH name IN ARRAY to_drop LOOP
        EXECUTE format('LOCK TABLE socialsync.%I IN ACCESS EXCLUSIVE MODE', name);
      END LOOP;
      LOCK TABLE socialsync.webhook_logs_default IN ACCESS EXCLUSIVE MODE;
      -- A new partition has the foreign keys too.
      FOREACH name IN ARRAY ARRAY['public.users', 'public.social_accounts'] LOOP
        IF has_table_privilege(name, 'UPDATE') THEN
          EXECUTE format('LOCK TABLE ONLY %s IN SHARE ROW EXCLUSIVE MODE', name);
        END IF;
      END LOOP;
      RETURN;
    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
      PERFORM pg_sleep(0.1 + random() * 0.4);
    END;
  END LOOP;
  RAISE lock_not_available USING MESSAGE = 'no lock to change the partitions of webhook_logs: call again later';
END $$;

-- Creates the partition for the week that begins on `monday` (UTC): as a separate table without privileges, moves its rows
-- from the default partition, then attaches it. CREATE TABLE … PARTITION OF would block every query. Returns the number of
-- moved rows.
CREATE OR REPLACE FUNCTION socialsync.create_partition(name text, monday timestamp) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  first_id uuid := socialsync.first_log_id(monday AT TIME ZONE 'UTC');
  end_id   uuid := socialsync.first_log_id((monday + interval '1 week') AT TIME ZONE 'UTC');
  moved    bigint;
BEGIN
  EXECUTE format('CREATE TABLE socialsync.%I (LIKE public.webhook_logs INCLUDING ALL)', name);
  EXECUTE format('ALTER TABLE socialsync.%I ENABLE ROW LEVEL SECURITY', name);
  EXECUTE format('REVOKE ALL ON socialsync.%I FROM PUBLIC, anon, authenticated', name);
  EXECUTE format('WITH moved AS (DELETE FROM socialsync.webhook_logs_default WHERE id >= $1 AND id < $2 RETURNING *) '
                 'INSERT INTO socialsync.%I SELECT * FROM moved', name) USING first_id, end_id;
  GET DIAGNOSTICS moved = ROW_COUNT;
  EXECUTE format('ALTER TABLE public.webhook_logs ATTACH PARTITION socialsync.%I FOR VALUES FROM (%L) TO (%L)',
                 name, first_id, end_id);
  RETURN moved;
END $$;

-- Creates one partition under its own locks. Returns the action for the report.
CREATE OR REPLACE FUNCTION socialsync.add_partition(name text, monday timestamp) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
  moved bigint;
BEGIN
  -- Events of a week that has begun without a partition go to the default partition.
  PERFORM socialsync.lock_for_partition_change('{}', stop_inserts => monday <= now() AT TIME ZONE 'UTC');
  IF to_regclass('socialsync.' || name) IS NOT NULL THEN
    RETURN 'found';
  END IF;
  moved := socialsync.create_partition(name, monday);
  RETURN 'created' || CASE WHEN moved > 0 THEN format(' with %s rows of the default partition', moved) ELSE '' END;
END $$;

-- The existing weekly partitions: name, and the end of the week.
CREATE OR REPLACE FUNCTION socialsync.weekly_partitions() RETURNS TABLE (name text, ends_at timestamptz)
LANGUAGE sql STABLE AS $$
  SELECT c.relname, (to_date(right(c.relname, 8), 'YYYYMMDD') + interval '1 week') AT TIME ZONE 'UTC'
  FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
  WHERE i.inhparent = 'public.webhook_logs'::regclass AND c.relname ~ '^webhook_logs_p\d{8}$';
$$;

-- Deletes expired rows outside of dropped partitions.
CREATE OR REPLACE FUNCTION socialsync.delete_expired(keep_from timestamptz)
RETURNS TABLE (action text, partition text) LANGUAGE plpgsql AS $$
DECLARE
  deleted bigint;
BEGIN
  DELETE FROM socialsync.webhook_event_keys WHERE seen_at < now() - interval '8 days';
  -- Deliveries queued while their endpoint was being removed. Visits endpoint after endpoint by the index.
  WITH RECURSIVE of AS (
    (SELECT d.endpoint_id FROM public.webhook_deliveries AS d ORDER BY d.endpoint_id LIMIT 1)
    UNION ALL
    SELECT next.endpoint_id FROM of, LATERAL (SELECT d.endpoint_id FROM public.webhook_deliveries AS d
                                              WHERE d.endpoint_id > of.endpoint_id ORDER BY d.endpoint_id LIMIT 1) AS next)
  DELETE FROM public.webhook_deliveries AS d USING of
  WHERE d.endpoint_id = of.endpoint_id AND NOT EXISTS (SELECT FROM public.webhook_endpoints AS e WHERE e.id = of.endpoint_id);
  IF keep_from IS NULL THEN
    RETURN;
  END IF;
  DELETE FROM public.webhook_deliveries WHERE event_id < socialsync.first_log_id(keep_from);
  GET DIAGNOSTICS deleted = ROW_COUNT;
  RETURN QUERY SELECT format('deleted %s rows', deleted), 'public.webhook_deliveries' WHERE deleted > 0;
  DELETE FROM public.webhook_quarantine WHERE created_at < keep_from;
  GET DIAGNOSTICS deleted = ROW_COUNT;
  RETURN QUERY SELECT format('deleted %s rows', deleted), 'public.webhook_quarantine' WHERE deleted > 0;
  DELETE FROM socialsync.webhook_logs_default WHERE created_at < keep_from;
  GET DIAGNOSTICS deleted = ROW_COUNT;
  RETURN QUERY SELECT format('deleted %s rows', deleted), 'socialsync.webhook_logs_default' WHERE deleted > 0;
END $$;

-- Maintains the partitions of webhook_delivery_attempts: creates the coming ones, drops those whose week ended 30 days ago
-- (or retention_days, if less), and deletes older rows of the default partition. Waits at most 50 ms for a lock, because
-- other sessions queue behind it. SECURITY DEFINER: partitions belong to the owner of their table.
CREATE OR REPLACE FUNCTION socialsync.maintain_attempts(weeks_ahead integer, retention_days integer)
RETURNS TABLE (action text, partition text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '50ms' AS $$
DECLARE
  keep_from timestamptz := now() - make_interval(days => least(coalesce(retention_days, 30), 30));
  wanted    record;
  deleted   bigint;
BEGIN
  FOR wanted IN
    SELECT 'created' AS action, w.name, format(
        'CREATE TABLE socialsync.%1$I (LIKE public.webhook_delivery_attempts INCLUDING ALL); '
        'ALTER TABLE socialsync.%1$I ENABLE ROW LEVEL SECURITY; '
        'REVOKE ALL ON socialsync.%1$I FROM PUBLIC, anon, authenticated; '
        'LOCK TABLE socialsync.webhook_delivery_attempts_default IN ACCESS EXCLUSIVE MODE; '
        'WITH moved AS (DELETE FROM socialsync.webhook_delivery_attempts_default '
        'WHERE attempted_at >= %2$L AND attempted_at < %3$L RETURNING *) INSERT INTO socialsync.%1$I SELECT * FROM moved; '
        'ALTER TABLE public.webhook_delivery_attempts ATTACH PARTITION socialsync.%1$I FOR VALUES FROM (%2$L) TO (%3$L)',
        w.name, w.monday AT TIME ZONE 'UTC', (w.monday + interval '1 week') AT TIME ZONE 'UTC') AS statement
    FROM socialsync.wanted_attempt_partitions(weeks_ahead) AS w WHERE to_regclass('socialsync.' || w.name) IS NULL
    UNION ALL
    SELECT 'dropped', c.relname, format('DROP TABLE socialsync.%I', c.relname)
    FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'public.webhook_delivery_attempts'::regclass AND c.relname ~ '_p\d{8}$'
      AND (to_date(right(c.relname, 8), 'YYYYMMDD') + interval '1 week') AT TIME ZONE 'UTC' <= keep_from
  LOOP
    FOR attempt IN 1..100 LOOP
      BEGIN
        LOCK TABLE ONLY public.webhook_delivery_attempts IN SHARE UPDATE EXCLUSIVE MODE;
        -- Another session may have done it.
        EXIT WHEN (to_regclass('socialsync.' || wanted.name) IS NULL) <> (wanted.action = 'created');
        EXECUTE wanted.statement;
        action := wanted.action;
        partition := 'socialsync.' || wanted.name;
        RETURN NEXT;
        EXIT;
      EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
        PERFORM pg_sleep(0.1 + random() * 0.2);
      END;
    END LOOP;
  END LOOP;
  BEGIN
    DELETE FROM socialsync.webhook_delivery_attempts_default WHERE attempted_at < keep_from;
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN QUERY SELECT format('deleted %s rows', deleted), 'socialsync.webhook_delivery_attempts_default' WHERE deleted > 0;
  EXCEPTION WHEN lock_not_available THEN
    RETURN;  -- the next run does it
  END;
END $$;

-- Reserves half of each page where endpoints exist: a delivered event changes its status, and the new version of its row
-- then fits into the same page, without new index entries.
CREATE OR REPLACE FUNCTION socialsync.leave_room_for_updates() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '1500ms' AS $$
DECLARE
  name text;
BEGIN
  IF NOT EXISTS (SELECT FROM public.webhook_endpoints) THEN
    RETURN;
  END IF;
  FOR name IN
    SELECT c.relname FROM socialsync.weekly_partitions() AS p JOIN pg_class AS c ON c.relname = p.name
    WHERE c.relnamespace = 'socialsync'::regnamespace AND p.ends_at > now()
      AND NOT coalesce(c.reloptions::text LIKE '%fillfactor%', false)
  LOOP
    EXECUTE format('ALTER TABLE socialsync.%I SET (fillfactor = 50)', name);
  END LOOP;
EXCEPTION WHEN lock_not_available THEN
  RETURN;  -- the next run does it
END $$;

CREATE OR REPLACE FUNCTION socialsync.maintain_partitions(weeks_ahead integer DEFAULT 4,
                                                          retention_days integer DEFAULT NULL)
RETURNS TABLE (action text, partition text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
  keep_from timestamptz := now() - make_interval(days => retention_days);
  expired   text[];
  missing   timestamp;
  wanted    record;
BEGIN
  IF weeks_ahead IS NULL OR weeks_ahead NOT BETWEEN 0 AND 520 OR retention_days < 1 THEN
    RAISE invalid_parameter_value USING
      MESSAGE = 'weeks_ahead is 0 to 520, retention_days 1 or more, or null for no limit';
  END IF;
  RETURN QUERY SELECT * FROM socialsync.delete_expired(keep_from);

  PERFORM socialsync.leave_room_for_updates();

  expired := ARRAY(SELECT p.name FROM socialsync.weekly_partitions() AS p WHERE p.ends_at <= keep_from ORDER BY p.name);
  missing := (SELECT min(w.monday) FROM socialsync.wanted_partitions(weeks_ahead, keep_from) AS w
              WHERE to_regclass('socialsync.' || w.name) IS NULL);
  -- maintain_attempts() is a separate call: workers must not wait behind us while we wait for a reader of webhook_logs.
  IF expired = '{}' AND missing IS NULL THEN
    RETURN QUERY SELECT * FROM socialsync.maintain_attempts(weeks_ahead, retention_days);
    RETURN;
  END IF;
  -- Takes all locks at once, so that no session waits for us while we wait for another. Events of a week that has begun
  -- without a partition go to the default partition.
  PERFORM socialsync.lock_for_partition_change(expired, stop_inserts => missing <= now() AT TIME ZONE 'UTC');

  FOREACH partition IN ARRAY expired LOOP
    EXECUTE format('DROP TABLE IF EXISTS socialsync.%I', partition);
    partition := 'socialsync.' || partition;
    action := 'dropped';
    RETURN NEXT;
  END LOOP;
  FOR wanted IN SELECT * FROM socialsync.wanted_partitions(weeks_ahead, keep_from) LOOP
    partition := 'socialsync.' || wanted.name;
    CONTINUE WHEN to_regclass(partition) IS NOT NULL;
    action := socialsync.add_partition(wanted.name, wanted.monday);
    RETURN NEXT;
  END LOOP;
END $$;
COMMENT ON FUNCTION socialsync.maintain_partitions(integer, integer) IS
  'SocialSync Webhooks: makes the weekly partitions of webhook_logs from two weeks ago to weeks_ahead; with
retention_days drops partitions that are older as a whole, and deletes older rows of the default partition and of the
quarantine and of the outbox; partitions of webhook_delivery_attempts are kept for 30 days. The server calls it; without one let cron do it, hourly or daily, for example with pg_cron:
  SELECT cron.schedule(''webhook partitions'', ''17 * * * *'', ''SELECT socialsync.maintain_partitions(4, 90)'')';

-- A body as text; bytes that are not UTF-8 as \ooo.
CREATE OR REPLACE FUNCTION socialsync.readable(body bytea) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  middle integer := length(body) / 2;
BEGIN
  RETURN convert_from(body, 'UTF8');
EXCEPTION WHEN character_not_in_repertoire OR untranslatable_character THEN
  IF length(body) <= 32 THEN
    RETURN encode(body, 'escape');
  END IF;
  -- Does not split a character: its continuation bytes are 10xxxxxx.
  WHILE middle < length(body) - 1 AND (get_byte(body, middle) & 192) = 128 LOOP
    middle := middle + 1;
  END LOOP;
  RETURN socialsync.readable(substring(body FROM 1 FOR middle)) || socialsync.readable(substring(body FROM middle + 1));
END $$;
COMMENT ON FUNCTION socialsync.readable(bytea) IS
  'SocialSync Webhooks: a body as text; bytes that are not UTF-8 as \ooo';

REVOKE ALL ON FUNCTION
  socialsync.lock_for_partition_change(text[], boolean), socialsync.create_partition(text, timestamp),
  socialsync.add_partition(text, timestamp),
  socialsync.weekly_partitions(), socialsync.wanted_partitions(integer, timestamptz),
  socialsync.delete_expired(timestamptz), socialsync.maintain_partitions(integer, integer),
  socialsync.wanted_attempt_partitions(integer), socialsync.maintain_attempts(integer, integer),
  socialsync.leave_room_for_updates(), socialsync.readable(bytea)
  FROM PUBLIC, anon, authenticated;
GRANT EXECUTE ON FUNCTION socialsync.readable(bytea), socialsync.maintain_partitions(integer, integer) TO service_role;
$sql$);
$steps$;
-- ---------------------------------------------------------------------------------------------------------------
-- Endpoints, the outbox, and delivery attempts

CREATE OR REPLACE FUNCTION pg_temp.endpoint_triggers() RETURNS TABLE (tbl text, name text, definition text)
LANGUAGE sql AS $$
  VALUES
    ('public.social_accounts', 'socialsync_webhook_url_given',
     'CREATE TRIGGER socialsync_webhook_url_given AFTER INSERT ON public.social_accounts FOR EACH ROW '
     'WHEN ((new.webhook_url IS NOT NULL)) EXECUTE FUNCTION socialsync.keep_primary_endpoint()'),
    ('public.social_accounts', 'socialsync_webhook_url_changed',
     'CREATE TRIGGER socialsync_webhook_url_changed AFTER UPDATE OF webhook_url ON public.social_accounts FOR EACH ROW '
     'WHEN (((new.webhook_url)::text IS DISTINCT FROM (old.webhook_url)::text)) '
     'EXECUTE FUNCTION socialsync.keep_primary_endpoint()'),
    ('public.webhook_endpoints', 'socialsync_endpoints_changed',
     'CREATE TRIGGER socialsync_endpoints_changed AFTER INSERT OR DELETE OR UPDATE OF social_account_id, url, format, '
     'app_secret, signing_secret, previous_signing_secret, previous_signing_secret_until, headers, webhook_events, '
     'is_enabled, is_ordered, concurrent_max, per_second_max OR TRUNCATE ON public.webhook_endpoints '
     'FOR EACH STATEMENT EXECUTE FUNCTION socialsync.notify_endpoints_changed()'),
    ('public.webhook_endpoints', 'socialsync_endpoint_removed',
     'CREATE TRIGGER socialsync_endpoint_removed AFTER DELETE ON public.webhook_endpoints FOR EACH ROW '
     'EXECUTE FUNCTION socialsync.remove_deliveries()'),
    ('public.social_accounts', 'socialsync_account_given',
     'CREATE TRIGGER socialsync_account_given AFTER UPDATE ON public.social_accounts FOR EACH ROW '
     'WHEN ((new.user_id IS DISTINCT FROM old.user_id)) EXECUTE FUNCTION socialsync.give_endpoints()'),
    ('public.webhook_endpoints', 'socialsync_endpoint_given',
     'CREATE TRIGGER socialsync_endpoint_given BEFORE UPDATE ON public.webhook_endpoints FOR EACH ROW '
     'WHEN (((new.social_account_id IS DISTINCT FROM old.social_account_id) OR (new.id <> old.id))) '
     'EXECUTE FUNCTION socialsync.renew_endpoint()'),
    ('public.webhook_endpoints', 'socialsync_endpoint_renewed',
     'CREATE TRIGGER socialsync_endpoint_renewed AFTER UPDATE ON public.webhook_endpoints FOR EACH ROW '
     'WHEN ((new.id <> old.id)) EXECUTE FUNCTION socialsync.remove_deliveries()');
$$;

CREATE OR REPLACE FUNCTION pg_temp.delivery_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $steps$
  SELECT * FROM pg_temp.definition_step('function.endpoint_secrets', 'functions for secrets of endpoints',
    '{socialsync.new_signing_secret(), socialsync.new_app_secret()}', '{}', $sql$
-- 30 random bytes in base64: Standard Webhooks requires 24 to 64. A UUID has 122 random bits of 128.
CREATE OR REPLACE FUNCTION socialsync.new_signing_secret() RETURNS text
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
  SELECT 'whsec_' || encode(substring(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) FROM 1 FOR 30), 'base64');
$$;
COMMENT ON FUNCTION socialsync.new_signing_secret() IS
  'SocialSync Webhooks: a new secret for the Standard Webhooks signature of an endpoint';

-- A secret in the format of Meta's app secrets.
CREATE OR REPLACE FUNCTION socialsync.new_app_secret() RETURNS text
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
  SELECT replace(gen_random_uuid()::text, '-', '');
$$;
COMMENT ON FUNCTION socialsync.new_app_secret() IS
  'SocialSync Webhooks: a new secret for the X-Hub-Signature-256 of an endpoint';
REVOKE ALL ON FUNCTION socialsync.new_signing_secret(), socialsync.new_app_secret() FROM PUBLIC, anon, authenticated;
GRANT EXECUTE ON FUNCTION socialsync.new_signing_secret(), socialsync.new_app_secret() TO service_role;
$sql$)
  UNION ALL
  SELECT 'table.webhook_endpoints', 'table webhook_endpoints', 'SHARE ROW EXCLUSIVE', '{public.social_accounts}'::text[],
         false, to_regclass('public.webhook_endpoints') IS NOT NULL, NULL, $sql$
  CREATE TABLE public.webhook_endpoints (
    id                            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    social_account_id             uuid REFERENCES public.social_accounts (id) ON DELETE CASCADE,
    place                         smallint NOT NULL DEFAULT 0
                                  CONSTRAINT webhook_endpoints_place_known CHECK (place >= 0 AND place <= 9),
    url                           varchar(500),
    description                   text,
    format                        text NOT NULL DEFAULT 'meta'
                                  CONSTRAINT webhook_endpoints_format_known CHECK (format IN ('meta', 'standard')),
    app_secret                    varchar(1000) NOT NULL DEFAULT socialsync.new_app_secret(),
    signing_secret                varchar(1000) NOT NULL DEFAULT socialsync.new_signing_secret(),
    previous_signing_secret       varchar(1000),
    previous_signing_secret_until timestamptz,
    headers                       jsonb NOT NULL DEFAULT '{}'
                                  CONSTRAINT webhook_endpoints_headers_object CHECK (jsonb_typeof(headers) = 'object'),
    webhook_events                text[],
    is_enabled                    boolean NOT NULL DEFAULT true,
    disabled_because              text,
    is_ordered                    boolean NOT NULL DEFAULT false,
    concurrent_max                integer NOT NULL DEFAULT 16
                                  CONSTRAINT webhook_endpoints_concurrent_max_known
                                  CHECK (concurrent_max >= 1 AND concurrent_max <= 256),
    per_second_max                integer
                                  CONSTRAINT webhook_endpoints_per_second_max_known CHECK (per_second_max >= 1),
    failing_since                 timestamptz,
    warned_percent                smallint NOT NULL DEFAULT 0,
    created_at                    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (social_account_id, place)
  );
  COMMENT ON TABLE public.webhook_endpoints IS
    'SocialSync Webhooks: the endpoints of accounts; place 0 is the account''s webhook_url';
  COMMENT ON COLUMN public.webhook_endpoints.social_account_id IS
    'null: the operator''s own, for events of no account';
  COMMENT ON COLUMN public.webhook_endpoints.url IS 'null: its events are pulled with claim_webhooks()';
  COMMENT ON COLUMN public.webhook_endpoints.app_secret IS
    'key of X-Hub-Signature-256, which the receiver uses like Meta''s app secret; never Meta''s own';
  COMMENT ON COLUMN public.webhook_endpoints.signing_secret IS 'key of webhook-signature (Standard Webhooks)';
  ALTER TABLE public.webhook_endpoints ENABLE ROW LEVEL SECURITY;
  REVOKE ALL ON public.webhook_endpoints FROM PUBLIC, anon, authenticated;
  $sql$, NULL, NULL
  UNION ALL
  -- No foreign keys: each would cost as much as the row. A trigger deletes the deliveries of a removed endpoint; workers
  -- delete those of a deleted event when they claim them.
  SELECT 'table.webhook_deliveries', 'table webhook_deliveries', NULL, '{}', false,
         to_regclass('public.webhook_deliveries') IS NOT NULL, NULL, $sql$
  CREATE SEQUENCE public.webhook_delivery_position CACHE 1;
  CREATE TABLE public.webhook_deliveries (
    event_id     uuid NOT NULL,
    endpoint_id  uuid NOT NULL,
    due_at       timestamptz NOT NULL DEFAULT now(),
    attempts     smallint NOT NULL DEFAULT 0,
    conversation bigint,
    position     bigint,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (event_id, endpoint_id)
  ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 20000,
          autovacuum_vacuum_cost_delay = 0);
  ALTER SEQUENCE public.webhook_delivery_position OWNED BY public.webhook_deliveries.position;
  COMMENT ON TABLE public.webhook_deliveries IS
    'SocialSync Webhooks: the outbox: deliveries that are due, leased or dead-lettered (due_at infinity)';
  COMMENT ON COLUMN public.webhook_deliveries.due_at IS
    'when it is due; while leased, the end of the lease; infinity: dead-lettered';
  COMMENT ON COLUMN public.webhook_deliveries.conversation IS
    'only for ordered endpoints: deliveries of one conversation are sent one at a time, by position';
  CREATE INDEX idx_webhook_deliveries_due ON public.webhook_deliveries (endpoint_id, due_at);
  CREATE INDEX idx_webhook_deliveries_conversation ON public.webhook_deliveries (endpoint_id, conversation, position)
    WHERE conversation IS NOT NULL AND due_at < 'infinity';
  ALTER TABLE public.webhook_deliveries ENABLE ROW LEVEL SECURITY;
  REVOKE ALL ON public.webhook_deliveries FROM PUBLIC, anon, authenticated;
  REVOKE ALL ON SEQUENCE public.webhook_delivery_position FROM PUBLIC, anon, authenticated;
  GRANT USAGE ON SEQUENCE public.webhook_delivery_position TO service_role;
  $sql$, NULL, NULL
  UNION ALL
  SELECT 'table.webhook_delivery_attempts', 'table webhook_delivery_attempts', NULL, '{}', false,
         to_regclass('public.webhook_delivery_attempts') IS NOT NULL, NULL, $sql$
  CREATE TABLE public.webhook_delivery_attempts (
    attempted_at  timestamptz NOT NULL DEFAULT now(),
    event_id      uuid NOT NULL,
    endpoint_id   uuid NOT NULL,
    attempt       smallint NOT NULL,
    http_status   smallint,
    took_ms       integer NOT NULL,
    error         text,
    detail        text,
    response_head bytea
  ) PARTITION BY RANGE (attempted_at);
  COMMENT ON TABLE public.webhook_delivery_attempts IS
    'SocialSync Webhooks: all delivery attempts, in weekly partitions, kept for 30 days';
  COMMENT ON COLUMN public.webhook_delivery_attempts.error IS
    'null: delivered; http_status, timed_out, not_connected, name_not_found, address_refused, tls_failed, …';
  CREATE INDEX idx_webhook_delivery_attempts_event ON public.webhook_delivery_attempts (event_id);
  CREATE INDEX idx_webhook_delivery_attempts_endpoint ON public.webhook_delivery_attempts (endpoint_id, attempted_at DESC);
  ALTER TABLE public.webhook_delivery_attempts ENABLE ROW LEVEL SECURITY;
  REVOKE ALL ON public.webhook_delivery_attempts FROM PUBLIC, anon, authenticated;
  CREATE TABLE socialsync.webhook_delivery_attempts_default PARTITION OF public.webhook_delivery_attempts DEFAULT;
  COMMENT ON TABLE socialsync.webhook_delivery_attempts_default IS
    'SocialSync Webhooks: attempts outside of all weekly partitions';
  ALTER TABLE socialsync.webhook_delivery_attempts_default ENABLE ROW LEVEL SECURITY;
  REVOKE ALL ON socialsync.webhook_delivery_attempts_default FROM PUBLIC, anon, authenticated;
  $sql$, NULL, NULL
  UNION ALL
  SELECT * FROM pg_temp.definition_step('function.endpoints', 'functions of the triggers of endpoints',
    '{socialsync.keep_primary_endpoint(), socialsync.notify_endpoints_changed(), socialsync.remove_deliveries(),
      socialsync.renew_endpoint(), socialsync.give_endpoints()}', '{}',
    $sql$
-- Keeps the endpoint of place 0 equal to the account's webhook_url; an empty or blank URL is none. SECURITY DEFINER: a role
-- that may write that column need not see endpoints.
CREATE OR REPLACE FUNCTION socialsync.keep_primary_endpoint() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NEW.webhook_url ~ '[^[:space:]]' THEN
    INSERT INTO public.webhook_endpoints AS e (social_account_id, url) VALUES (NEW.id, NEW.webhook_url)
    ON CONFLICT (social_account_id, place) DO UPDATE
    SET url = excluded.url, is_enabled = true, disabled_because = NULL, failing_since = NULL, warned_percent = 0
    WHERE e.url IS DISTINCT FROM excluded.url;
  ELSE
    DELETE FROM public.webhook_endpoints WHERE social_account_id = NEW.id AND place = 0;
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION socialsync.notify_endpoints_changed() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_notify('socialsync_endpoints', '');
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION socialsync.remove_deliveries() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM public.webhook_deliveries WHERE endpoint_id = OLD.id;
  RETURN NULL;
END $$;

-- Makes an endpoint that moves to another owner a new endpoint: a new id, because gateways, workers and open transactions
-- still use the old one; new secrets and no headers, unless the same statement sets them.
CREATE OR REPLACE FUNCTION socialsync.renew_endpoint() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NEW.id = OLD.id THEN
    IF (SELECT user_id FROM public.social_accounts WHERE id = OLD.social_account_id)
       = (SELECT user_id FROM public.social_accounts WHERE id = NEW.social_account_id) THEN
      RETURN NEW;
    END IF;
    NEW.id := gen_random_uuid();
    IF NEW.url IS NOT DISTINCT FROM OLD.url AND NEW.url IS NOT NULL THEN
      NEW.is_enabled := false;
      NEW.disabled_because := 'it was given to the account of another user';
    END IF;
  END IF;
  IF NEW.app_secret = OLD.app_secret THEN
    NEW.app_secret := socialsync.new_app_secret();
  END IF;
  IF NEW.signing_secret = OLD.signing_secret THEN
    NEW.signing_secret := socialsync.new_signing_secret();
  END IF;
  IF NEW.headers = OLD.headers THEN
    NEW.headers := '{}';
  END IF;
  NEW.previous_signing_secret := NULL;
  NEW.previous_signing_secret_until := NULL;
  NEW.failing_since := NULL;
  NEW.warned_percent := 0;
  RETURN NEW;
END $$;

-- The webhook_url belongs to the account and stays; the former owner chose the other URLs.
CREATE OR REPLACE FUNCTION socialsync.give_endpoints() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE public.webhook_endpoints SET id = gen_random_uuid(), is_enabled = is_enabled AND (place = 0 OR url IS NULL),
         disabled_because = CASE WHEN is_enabled AND place > 0 AND url IS NOT NULL
                                 THEN 'its account was given to another user' ELSE disabled_because END
  WHERE social_account_id = NEW.id;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION socialsync.keep_primary_endpoint(), socialsync.notify_endpoints_changed(),
  socialsync.remove_deliveries(), socialsync.renew_endpoint(), socialsync.give_endpoints() FROM PUBLIC, anon, authenticated;
$sql$)
  UNION ALL
  SELECT 'trigger.' || t.name, 'trigger ' || t.name, 'SHARE ROW EXCLUSIVE', ARRAY[t.tbl], false,
         EXISTS (SELECT FROM pg_trigger
                 WHERE tgrelid = to_regclass(t.tbl) AND tgenabled IN ('O', 'A') AND tgname = t.name
                   AND pg_get_triggerdef(oid) = t.definition),
         NULL, replace(t.definition, 'CREATE TRIGGER', 'CREATE OR REPLACE TRIGGER'), NULL, NULL
  FROM pg_temp.endpoint_triggers() AS t
  UNION ALL
  -- Creates endpoints for existing webhook_urls, and removes endpoints with blank URLs.
  SELECT 'endpoints.primary', 'endpoints of accounts with a webhook_url', NULL, '{}', false,
         pg_temp.has_fingerprint('endpoints.primary', statements, ''), NULL, statements, '', NULL
  FROM (VALUES ($sql$
  INSERT INTO public.webhook_endpoints (social_account_id, url)
  SELECT id, webhook_url FROM public.social_accounts WHERE webhook_url ~ '[^[:space:]]'
  ON CONFLICT (social_account_id, place) DO NOTHING;
  DELETE FROM public.webhook_endpoints WHERE social_account_id IS NOT NULL AND place = 0 AND url !~ '[^[:space:]]'
  $sql$)) AS filled (statements);
$steps$;
-- ---------------------------------------------------------------------------------------------------------------
-- Health of endpoints: written by workers, reported to the operator

CREATE OR REPLACE FUNCTION pg_temp.endpoint_news_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $steps$
  SELECT * FROM pg_temp.definition_step('function.endpoint_news', 'functions for news of endpoints',
    '{"socialsync.tell_operator(text, uuid, text)", "socialsync.record_endpoint_news(uuid, boolean, smallint, text)"}', '{}',
    $sql$
-- Inserts an event of our own in Meta's format. It belongs to no account, so no tenant sees it. Queues it for the operator's
-- endpoints that subscribe to it, except the endpoint that it reports; its status is `ignored` without a subscriber. Names
-- only the URL's host, and only when the URL has nothing else before its path.
CREATE OR REPLACE FUNCTION socialsync.tell_operator(event_type text, about uuid, because text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  wanted_by uuid[] := ARRAY(SELECT id FROM public.webhook_endpoints
                            WHERE social_account_id IS NULL AND is_enabled AND id <> about
                              AND (webhook_events IS NULL OR event_type = ANY (webhook_events)));
  event     uuid;
BEGIN
  INSERT INTO public.webhook_logs (platform, webhook_type, external_message_id, status, payload)
  SELECT coalesce(a.platform, 'whatsapp'), event_type, about::text,
         CASE WHEN wanted_by = '{}' THEN 'ignored' ELSE 'received' END, jsonb_build_object(
           'object', 'socialsync',
           'entry', jsonb_build_array(jsonb_build_object(
             'id', about, 'time', floor(extract(epoch FROM now()))::bigint,
             'changes', jsonb_build_array(jsonb_build_object('field', event_type, 'value', jsonb_build_object(
               'endpoint_id', about, 'account_id', e.social_account_id, 'place', e.place,
               'host', substring(e.url FROM '^https?://([A-Za-z0-9.-]+)(?::[0-9]+)?(?:[/?#]|$)'),
               'failing_since', to_char(e.failing_since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
               'percent', e.warned_percent, 'disabled_because', because))))))
  FROM public.webhook_endpoints AS e LEFT JOIN public.social_accounts AS a ON a.id = e.social_account_id
  WHERE e.id = about
  RETURNING id INTO event;
  INSERT INTO public.webhook_deliveries (event_id, endpoint_id) SELECT event, id FROM unnest(wanted_by) AS id;
  IF wanted_by <> '{}' THEN
    PERFORM pg_notify('socialsync_deliveries', '');
  END IF;
END $$;

-- When several workers observe the same change, only the first is written and reported. SECURITY DEFINER: workers may not
-- write events, nor change other columns of an endpoint.
CREATE OR REPLACE FUNCTION socialsync.record_endpoint_news(of_endpoint uuid, is_failing boolean, percent smallint, because text)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found_as public.webhook_endpoints;
  wanted_percent smallint;
BEGIN
  SELECT * INTO found_as FROM public.webhook_endpoints WHERE id = of_endpoint FOR NO KEY UPDATE;
  wanted_percent := CASE WHEN is_failing THEN greatest(found_as.warned_percent, percent) ELSE 0 END;
  -- Unchanged values are not written.
  UPDATE public.webhook_endpoints
  SET failing_since = CASE WHEN is_failing THEN coalesce(failing_since, now()) END, warned_percent = wanted_percent
  WHERE id = of_endpoint AND ((failing_since IS NOT NULL) <> is_failing OR warned_percent <> wanted_percent);
  IF NOT found_as.is_enabled OR found_as.id IS NULL THEN
    RETURN;
  END IF;
  IF because IS NOT NULL THEN
    -- Each such change makes every worker reload all endpoints.
    UPDATE public.webhook_endpoints SET is_enabled = false, disabled_because = because WHERE id = of_endpoint;
    PERFORM socialsync.tell_operator('endpoint_disabled', of_endpoint, because);
  ELSIF wanted_percent > found_as.warned_percent THEN
    PERFORM socialsync.tell_operator('endpoint_failing', of_endpoint, NULL);
  END IF;
END $$;
COMMENT ON FUNCTION socialsync.record_endpoint_news(uuid, boolean, smallint, text) IS
  'SocialSync Webhooks: records the health of an endpoint as a worker observed it, and reports changes to the operator''s endpoints';
REVOKE ALL ON FUNCTION socialsync.tell_operator(text, uuid, text),
  socialsync.record_endpoint_news(uuid, boolean, smallint, text) FROM PUBLIC, anon, authenticated;
GRANT EXECUTE ON FUNCTION socialsync.record_endpoint_news(uuid, boolean, smallint, text) TO service_role;
$sql$);
$steps$;
-- ---------------------------------------------------------------------------------------------------------------
-- Functions that programs call. SECURITY INVOKER: row-level security applies inside too.

CREATE OR REPLACE FUNCTION pg_temp.function_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $steps$
  SELECT * FROM pg_temp.definition_step('function.public', 'functions that programs call',
    (SELECT array_agg(format('public.%s(%s)', name, arguments)) FROM pg_temp.public_functions()), '{}', $sql$
CREATE OR REPLACE FUNCTION public.get_whatsapp_user_by_phone_number_id(p_phone_number_id varchar)
RETURNS TABLE (user_id uuid, social_account_id uuid, access_token text, app_secret varchar, verify_token varchar,
               display_phone_number varchar, business_name varchar, username varchar, is_active boolean)
LANGUAGE sql STABLE AS $$
  SELECT a.user_id, a.id, a.access_token, a.app_secret, a.verify_token, a.display_phone_number, a.business_name,
         a.username, a.is_active
  FROM public.social_accounts AS a
  WHERE a.phone_number_id = p_phone_number_id AND a.is_active AND a.platform IN ('whatsapp', 'whatsapp_business');
$$;
COMMENT ON FUNCTION public.get_whatsapp_user_by_phone_number_id(varchar) IS
  'SocialSync Webhooks: the active WhatsApp account with this phone number id, or no row';

-- Meta's entry.id is the page_id, or the account_id of the connected account.
CREATE OR REPLACE FUNCTION public.get_instagram_user_by_page_id(p_page_id varchar)
RETURNS TABLE (user_id uuid, social_account_id uuid, access_token text, app_secret varchar, verify_token varchar,
               display_name varchar, username varchar, is_active boolean)
LANGUAGE sql STABLE AS $$
  SELECT a.user_id, a.id, a.access_token, a.app_secret, a.verify_token, a.display_name, a.username, a.is_active
  FROM public.social_accounts AS a
  WHERE (a.page_id = p_page_id OR a.account_id = p_page_id) AND a.is_active AND a.platform = 'instagram'
  ORDER BY a.page_id IS NOT DISTINCT FROM p_page_id DESC
  LIMIT 1;
$$;
COMMENT ON FUNCTION public.get_instagram_user_by_page_id(varchar) IS
  'SocialSync Webhooks: the active Instagram account with this page_id, else account_id, or no row';

CREATE OR REPLACE FUNCTION public.log_webhook(
  p_social_account_id uuid, p_platform public.social_platform, p_webhook_type varchar, p_payload jsonb,
  p_external_message_id varchar DEFAULT NULL, p_customer_identifier varchar DEFAULT NULL)
RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
  owner_id uuid;
  log_id   uuid;
BEGIN
  UPDATE public.social_accounts SET last_webhook_at = now(), webhook_status = 'active'
  WHERE id = p_social_account_id RETURNING user_id INTO owner_id;
  IF NOT FOUND AND p_social_account_id IS NOT NULL THEN
    RAISE foreign_key_violation USING MESSAGE = format('no social account %s', p_social_account_id);
  END IF;
  INSERT INTO public.webhook_logs (social_account_id, platform, webhook_type, payload, external_message_id,
                                   customer_identifier, user_id)
  VALUES (p_social_account_id, p_platform, p_webhook_type, p_payload, p_external_message_id,
          p_customer_identifier, owner_id)
  RETURNING id INTO log_id;
  RETURN log_id;
END $$;
COMMENT ON FUNCTION public.log_webhook(uuid, public.social_platform, varchar, jsonb, varchar, varchar) IS
  'SocialSync Webhooks: inserts one row into webhook_logs and returns its id; the account becomes active';

CREATE OR REPLACE FUNCTION public.mark_webhook_processed(
  p_log_id uuid, p_processing_time_ms integer DEFAULT NULL, p_error_message text DEFAULT NULL)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE public.webhook_logs
  SET status = CASE WHEN p_error_message IS NULL THEN 'processed' ELSE 'error' END,
      processing_time_ms = coalesce(p_processing_time_ms, processing_time_ms),
      error_message = p_error_message
  WHERE id = p_log_id;
  IF NOT FOUND THEN
    RAISE no_data_found USING MESSAGE = format('no webhook log %s', coalesce(p_log_id::text, 'NULL'));
  END IF;
  -- Only a role that claims events may delete their deliveries.
  IF has_table_privilege('public.webhook_deliveries', 'DELETE') AND has_table_privilege('public.webhook_endpoints', 'SELECT') THEN
    DELETE FROM public.webhook_deliveries AS d USING public.webhook_endpoints AS e
    WHERE d.event_id = p_log_id AND e.id = d.endpoint_id AND e.url IS NULL;
  END IF;
END $$;
COMMENT ON FUNCTION public.mark_webhook_processed(uuid, integer, text) IS
  'SocialSync Webhooks: sets status processed, or error when a text is given; fails for an unknown log. Ends the
lease of claim_webhooks()';

-- Claims events to pull: the deliveries of an endpoint without a URL wait in the outbox. Deletes deliveries of deleted
-- events, unless row-level security could hide the events.
CREATE OR REPLACE FUNCTION public.claim_webhooks(
  p_social_account_id uuid, p_limit integer DEFAULT 10, p_lease interval DEFAULT '5 minutes')
RETURNS TABLE (log_id uuid, webhook_type varchar, payload jsonb, external_message_id varchar, customer_identifier varchar,
               received_at timestamptz, claims integer)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  endpoints uuid[] := ARRAY(SELECT e.id FROM public.webhook_endpoints AS e
                            WHERE e.social_account_id IS NOT DISTINCT FROM p_social_account_id AND e.url IS NULL
                              AND e.is_enabled);
BEGIN
  IF p_limit IS NULL OR p_limit NOT BETWEEN 1 AND 1000 OR p_lease IS NULL OR p_lease < '1 second' OR p_lease > '1 day' THEN
    RAISE invalid_parameter_value USING MESSAGE = 'p_limit is 1 to 1000, p_lease one second to one day';
  ELSIF endpoints = '{}' THEN
    RAISE no_data_found USING
      MESSAGE = format('account %s has no endpoint from which events are pulled', coalesce(p_social_account_id::text, 'NULL')),
      HINT = 'socialsync endpoints add --account … --pull';
  END IF;
  LOOP
    RETURN QUERY
    WITH due AS (
      SELECT d.event_id, d.endpoint_id
      FROM unnest(endpoints) AS of (endpoint_id),
        LATERAL (SELECT x.event_id, x.endpoint_id, x.due_at FROM public.webhook_deliveries AS x
                 WHERE x.endpoint_id = of.endpoint_id AND x.due_at <= now()
                 ORDER BY x.due_at LIMIT p_limit FOR UPDATE SKIP LOCKED) AS d
      ORDER BY d.due_at LIMIT p_limit),
    found AS MATERIALIZED (
      SELECT due.endpoint_id, due.event_id, l.id, l.webhook_type, l.payload, l.external_message_id, l.customer_identifier,
             l.created_at, l.id IS NULL AND NOT row_security_active('public.webhook_logs') AS is_gone
      FROM due LEFT JOIN public.webhook_logs AS l ON l.id = due.event_id),
    ended AS (
      DELETE FROM public.webhook_deliveries AS d
      USING found AS f WHERE d.event_id = f.event_id AND d.endpoint_id = f.endpoint_id AND f.is_gone),
    claimed AS (
      UPDATE public.webhook_deliveries AS d SET due_at = now() + p_lease, attempts = least(d.attempts + 1, 32767)
      FROM found AS f WHERE d.event_id = f.event_id AND d.endpoint_id = f.endpoint_id AND NOT f.is_gone
      RETURNING d.attempts::integer, f.id, f.webhook_type, f.payload, f.external_message_id, f.customer_identifier, f.created_at)
    SELECT c.id, c.webhook_type, c.payload, c.external_message_id, c.customer_identifier, c.created_at, c.attempts
    FROM claimed AS c WHERE c.id IS NOT NULL
    ORDER BY c.created_at, c.id;
    -- When all claimed events were deleted, more deliveries may follow.
    EXIT WHEN FOUND OR row_security_active('public.webhook_logs');
    PERFORM FROM public.webhook_deliveries
    WHERE endpoint_id = ANY (endpoints) AND due_at <= now() LIMIT 1 FOR UPDATE SKIP LOCKED;
    EXIT WHEN NOT FOUND;
  END LOOP;
END $$;
COMMENT ON FUNCTION public.claim_webhooks(uuid, integer, interval) IS
  'SocialSync Webhooks: leases the next events of an account that pulls them to the caller; end each
with mark_webhook_processed()';

-- Revokes default privileges of the web API's roles.
REVOKE ALL ON FUNCTION
  public.get_whatsapp_user_by_phone_number_id(varchar), public.get_instagram_user_by_page_id(varchar),
  public.log_webhook(uuid, public.social_platform, varchar, jsonb, varchar, varchar),
  public.mark_webhook_processed(uuid, integer, text), public.claim_webhooks(uuid, integer, interval)
  FROM PUBLIC, anon, authenticated;
GRANT EXECUTE ON FUNCTION
  public.get_whatsapp_user_by_phone_number_id(varchar), public.get_instagram_user_by_page_id(varchar),
  public.log_webhook(uuid, public.social_platform, varchar, jsonb, varchar, varchar),
  public.mark_webhook_processed(uuid, integer, text), public.claim_webhooks(uuid, integer, interval)
  TO service_role;
$sql$)
  UNION ALL
  -- Notifies running gateways to reload the accounts. Not for last_webhook_at and webhook_status, which change with every
  -- batch of events.
  SELECT * FROM pg_temp.definition_step('function.notify', 'function of the trigger of social_accounts',
    '{socialsync.notify_accounts_changed()}', '{}', $sql$
CREATE OR REPLACE FUNCTION socialsync.notify_accounts_changed() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_notify('socialsync_accounts', '');
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION socialsync.notify_accounts_changed() FROM PUBLIC, anon, authenticated;
$sql$)
  UNION ALL
  SELECT 'trigger', 'trigger socialsync_accounts_changed', 'SHARE ROW EXCLUSIVE', '{public.social_accounts}', false,
         EXISTS (SELECT FROM pg_trigger
                 WHERE tgrelid = to_regclass('public.social_accounts') AND tgenabled IN ('O', 'A')
                   AND tgname = 'socialsync_accounts_changed' AND pg_get_triggerdef(oid) = pg_temp.account_trigger()),
         NULL, replace(pg_temp.account_trigger(), 'CREATE TRIGGER', 'CREATE OR REPLACE TRIGGER'), NULL, NULL;
$steps$;
-- ---------------------------------------------------------------------------------------------------------------
-- Access: policies, row-level security, grants

-- The privileges on a table and its columns, with the column name '' for the whole table. `passed_on_by`: the grantor unless
-- it is the owner; only the grantor can revoke them.
CREATE OR REPLACE FUNCTION pg_temp.privileges(tbl regclass)
RETURNS TABLE (role text, privilege text, column_name text, passed_on_by text) LANGUAGE sql STABLE AS $$
  SELECT CASE i.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(i.grantee) END, i.privilege_type, i.column_name,
         CASE WHEN i.grantor <> c.relowner THEN pg_get_userbyid(i.grantor) END
  FROM pg_class AS c, LATERAL (
    SELECT grantor, grantee, privilege_type, '' AS column_name FROM aclexplode(c.relacl)
    UNION
    SELECT grantor, grantee, privilege_type, attname FROM pg_attribute, aclexplode(attacl)
    WHERE attrelid = c.oid AND NOT attisdropped) AS i
  WHERE c.oid = tbl;
$$;

-- Additional roles that see all accounts, such as members of a role with privileges. The setting socialsync.rls_roles is a
-- comma-separated list of names; names with a comma are in double quotes.
CREATE OR REPLACE FUNCTION pg_temp.rls_roles() RETURNS SETOF text LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN starts_with(word, '"') THEN replace(substr(word, 2, length(word) - 2), '""', '"') ELSE word END
  FROM (SELECT trim(m[1]) AS word
        FROM regexp_matches(current_setting('socialsync.rls_roles', true), '("(?:[^"]|"")*"|[^,]+)', 'g') AS m) AS words
  WHERE word <> '';
$$;

-- Roles with privileges on social_accounts other than its owner and the web API's roles, such as the application's.
-- Without a policy they would see an empty table. rls_roles() adds more.
CREATE OR REPLACE FUNCTION pg_temp.application_roles() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(DISTINCT quote_ident(p.role), ', ')
  FROM pg_class AS c, LATERAL (
    SELECT role FROM pg_temp.privileges(c.oid)
    UNION SELECT r FROM pg_temp.rls_roles() AS r) AS p
  WHERE c.oid = to_regclass('public.social_accounts')
    AND p.role NOT IN (pg_get_userbyid(c.relowner), 'PUBLIC', 'anon', 'authenticated', 'service_role');
$$;

CREATE OR REPLACE FUNCTION pg_temp.has_policy(policy_name text) RETURNS boolean LANGUAGE sql AS $$
  SELECT EXISTS (SELECT FROM pg_policy
                 WHERE polrelid = to_regclass('public.social_accounts') AND polname = policy_name);
$$;

-- A signed-in user who could write to social_accounts before row-level security was enabled may still write own rows.
CREATE OR REPLACE FUNCTION pg_temp.policies_for_found_rights() RETURNS text LANGUAGE sql AS $$
  SELECT concat(
    CASE WHEN NOT pg_temp.has_policy('webhooks_application')
    THEN 'CREATE POLICY webhooks_application ON public.social_accounts TO ' || pg_temp.application_roles()
      || ' USING (true);' END,
    CASE WHEN NOT pg_temp.has_policy('webhooks_own_writes')
          AND (has_any_column_privilege(to_regrole('authenticated')::oid, pg_class.oid, 'INSERT, UPDATE')
               OR has_table_privilege(to_regrole('authenticated')::oid, pg_class.oid, 'DELETE'))
    THEN 'CREATE POLICY webhooks_own_writes ON public.social_accounts TO authenticated '
         'USING (user_id = (SELECT auth.uid()));' END)
  FROM pg_class WHERE oid = to_regclass('public.social_accounts') AND NOT relrowsecurity;
$$;

-- Adds newly named roles to an existing policy.
CREATE OR REPLACE FUNCTION pg_temp.policy_for_named_roles() RETURNS text LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN p.oid IS NULL
         THEN format('CREATE POLICY webhooks_application ON public.social_accounts TO %s USING (true);', named)
         ELSE format('ALTER POLICY webhooks_application ON public.social_accounts TO %s, %s;',
                     pg_temp.role_list(p.polroles), named) END
  FROM pg_class AS c LEFT JOIN pg_policy AS p ON p.polrelid = c.oid AND p.polname = 'webhooks_application',
  LATERAL (SELECT string_agg(DISTINCT quote_ident(r), ', ') FROM pg_temp.rls_roles() AS r
           WHERE r NOT IN (pg_get_userbyid(c.relowner), 'anon', 'authenticated', 'service_role')
             AND NOT coalesce(p.polroles && ARRAY[0, to_regrole(quote_ident(r))::oid], false)) AS missing (named)
  WHERE c.oid = to_regclass('public.social_accounts') AND (c.relrowsecurity OR p.oid IS NOT NULL) AND named IS NOT NULL;
$$;

CREATE OR REPLACE FUNCTION pg_temp.missing_policies(for_table text) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(format('CREATE POLICY %I ON %s AS %s FOR %s TO %I %s (%s);', p.name, p.tbl, p.kind, p.command,
                           p.grantee, CASE p.command WHEN 'INSERT' THEN 'WITH CHECK' ELSE 'USING' END, p.condition), ' ')
  FROM pg_temp.policies() AS p
  WHERE p.tbl = for_table
    AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = to_regclass(for_table) AND polname = p.name);
$$;

-- True for privileges that a signed-in user keeps: reading own accounts without secrets, deleting them, and writing columns
-- that are not ours, where it could before; and reading own logs.
CREATE OR REPLACE FUNCTION pg_temp.tenant_may(privilege text, tbl text, column_name text) RETURNS boolean
LANGUAGE sql AS $$
  SELECT CASE tbl
    WHEN 'public.webhook_logs' THEN privilege = 'SELECT'
    WHEN 'public.social_accounts' THEN CASE
      WHEN column_name = '' THEN privilege = 'DELETE'
      WHEN privilege = 'SELECT' THEN column_name NOT IN ('app_secret', 'verify_token', 'access_token', 'refresh_token')
      WHEN privilege = 'UPDATE' AND column_name IN ('platform', 'account_id') THEN false  -- they route events
      ELSE column_name NOT IN (SELECT name FROM pg_temp.new_columns()) END
    ELSE false END;
$$;

-- True when the object existed before the first update.
CREATE OR REPLACE FUNCTION pg_temp.was_found(thing text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF pg_temp.relation('socialsync.preimages') IS NULL THEN
    RETURN EXISTS (SELECT FROM pg_temp.found() AS f WHERE f.object = thing);
  END IF;
  IF NOT pg_temp.may_read('socialsync.preimages') THEN
    RETURN false;
  END IF;
  RETURN EXISTS (SELECT FROM socialsync.preimages AS p WHERE p.object = thing);
END $$;

-- The columns of social_accounts after the update, in their order: a plan lists the grants of the final state.
CREATE OR REPLACE FUNCTION pg_temp.columns_to_be() RETURNS TABLE (attname text, attnum bigint) LANGUAGE sql AS $$
  WITH here AS (SELECT a.attname::text, a.attnum::bigint FROM pg_attribute AS a
                WHERE a.attrelid = to_regclass('public.social_accounts') AND a.attnum > 0 AND NOT a.attisdropped)
  SELECT * FROM here
  UNION ALL
  SELECT n.name, 10000 + n.place FROM pg_temp.new_columns() WITH ORDINALITY AS n (name, type, default_value, place)
  WHERE EXISTS (SELECT FROM here) AND n.name NOT IN (SELECT here.attname FROM here);
$$;

-- Privileges on the whole table, converted to privileges on columns. Columns of the documented interface are readable in any
-- case.
CREATE OR REPLACE FUNCTION pg_temp.tenant_columns() RETURNS TABLE (privilege text, column_name text) LANGUAGE sql AS $$
  SELECT w.privilege, a.attname
  FROM pg_temp.columns_to_be() AS a, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) AS w (privilege)
  WHERE pg_temp.tenant_may(w.privilege, 'public.social_accounts', a.attname)
    AND CASE WHEN w.privilege = 'SELECT'
        THEN (SELECT pg_temp.was_found('authenticated reads all columns'))
             OR a.attname IN (SELECT name FROM pg_temp.new_columns() UNION
                              SELECT name FROM pg_temp.needed_columns() WHERE tbl = 'public.social_accounts' UNION
                              VALUES ('profile_url'), ('token_expires_at'), ('updated_at'))
        ELSE EXISTS (SELECT FROM pg_temp.privileges(to_regclass('public.social_accounts')) AS p
                     WHERE p.role = 'authenticated' AND p.privilege = w.privilege AND p.column_name = '') END
  ORDER BY a.attnum;
$$;

-- Revoking a privilege on a table revokes it on its columns too: grant those again.
CREATE OR REPLACE FUNCTION pg_temp.missing_column_grants() RETURNS text LANGUAGE sql AS $$
  WITH has AS MATERIALIZED (SELECT * FROM pg_temp.privileges(to_regclass('public.social_accounts')) AS p
                            WHERE p.role = 'authenticated')
  SELECT string_agg(format('GRANT %s (%s) ON public.social_accounts TO authenticated;', privilege, names), ' ')
  FROM (SELECT t.privilege, string_agg(quote_ident(t.column_name), ', ') AS names
        FROM pg_temp.tenant_columns() AS t
        WHERE EXISTS (SELECT FROM has WHERE has.privilege = t.privilege AND has.column_name = ''
                                        AND has.passed_on_by IS NULL)
           OR NOT EXISTS (SELECT FROM has WHERE has.privilege = t.privilege AND has.column_name = t.column_name)
        GROUP BY t.privilege) AS grants;
$$;

-- Privileges of the web API's roles from default privileges, GRANT ON ALL TABLES, or other roles' grant options.
CREATE OR REPLACE FUNCTION pg_temp.excess_privileges() RETURNS TABLE (statement text, passed_on_by text)
LANGUAGE sql AS $$
  SELECT DISTINCT format('REVOKE %s%s ON %s FROM %s;', p.privilege,
                         ' (' || quote_ident(nullif(p.column_name, '')) || ')', tbl, p.role), p.passed_on_by
  FROM pg_temp.walled_tables() AS tbl,
       pg_temp.privileges(to_regclass(tbl)) AS p
  WHERE p.role IN ('anon', 'PUBLIC')
     OR p.role = 'authenticated' AND NOT pg_temp.tenant_may(p.privilege, tbl, p.column_name);
$$;

-- Privileges that only another role can revoke, with the REVOKE statements by role; null: none.
CREATE OR REPLACE FUNCTION pg_temp.passed_on_privileges() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(format('role %s granted privileges that tenants must not have, and only this role can revoke them: '
                           'SET ROLE %1$I; %s RESET ROLE;', passed_on_by, statements), E'\n' ORDER BY passed_on_by)
  FROM (SELECT passed_on_by, string_agg(statement, ' ' ORDER BY statement)
        FROM pg_temp.excess_privileges() WHERE passed_on_by IS NOT NULL
        GROUP BY passed_on_by) AS others (passed_on_by, statements);
$$;

-- All privileges of the web API's roles on whole tables.
CREATE OR REPLACE FUNCTION pg_temp.missing_table_grants() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(format('GRANT %s ON %s TO %s;', privilege, tbl, role), ' ')
  FROM (SELECT 'service_role' AS role, tbl, privilege
        FROM (SELECT t FROM pg_temp.walled_tables() AS t UNION ALL VALUES ('socialsync.webhook_event_keys')) AS tables (tbl),
             unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege
        UNION ALL SELECT 'authenticated', 'public.webhook_logs', 'SELECT') AS wanted
  WHERE NOT EXISTS (SELECT FROM pg_temp.privileges(pg_temp.relation(tbl)) AS p
                    WHERE p.role = wanted.role AND p.privilege = wanted.privilege AND p.column_name = '');
$$;

CREATE OR REPLACE FUNCTION pg_temp.row_security_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $$
  -- Policies and row-level security in one transaction: no session sees an empty table between them.
  SELECT 'row_security.' || split_part(t, '.', 2), 'row-level security of ' || t, 'ACCESS EXCLUSIVE', ARRAY[t], false,
         pg_temp.missing_policies(t) IS NULL
           AND (t <> 'public.social_accounts' OR pg_temp.policy_for_named_roles() IS NULL)
           AND coalesce((SELECT relrowsecurity FROM pg_class WHERE oid = to_regclass(t)), false),
         NULL,
         concat(CASE t WHEN 'public.social_accounts'
                THEN concat(pg_temp.policies_for_found_rights(), pg_temp.policy_for_named_roles()) END,
                pg_temp.missing_policies(t), format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t)),
         NULL, NULL
  FROM pg_temp.walled_tables() AS t;
$$;

CREATE OR REPLACE FUNCTION pg_temp.grant_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $$
  SELECT 'grants', 'grants of tables', NULL, '{}'::text[], false, statements = '', NULL, statements, NULL, NULL
  FROM concat_ws(' ', (SELECT string_agg(statement, ' ' ORDER BY statement) FROM pg_temp.excess_privileges()
                       WHERE passed_on_by IS NULL),
                 pg_temp.missing_column_grants(), pg_temp.missing_table_grants()) AS statements
  UNION ALL
  SELECT 'grants.passed_on', 'privileges granted by other roles', NULL, '{}', false, false,
         format('SELECT pg_temp.data_blocks(%L)', message), 'SELECT', NULL, NULL
  FROM pg_temp.passed_on_privileges() AS message WHERE message IS NOT NULL;
$$;

-- Problems that the update reports and does not change.
CREATE OR REPLACE FUNCTION pg_temp.access_warnings() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT 'social_accounts was open to PUBLIC, which would show its secrets to every tenant: the privilege is revoked. Roles '
         'that relied on it need grants of their own'
  WHERE EXISTS (SELECT FROM pg_temp.privileges(to_regclass('public.social_accounts')) WHERE role = 'PUBLIC')
  UNION ALL
  SELECT message FROM pg_temp.passed_on_privileges() AS message WHERE message IS NOT NULL
  UNION ALL
  -- A view with its owner's privileges shows rows that row-level security hides.
  SELECT format('these views show the accounts of all tenants to the roles of the web API: %s. Revoke the privilege, or set '
                'security_invoker', string_agg(DISTINCT v.oid::regclass::text, ', '))
  FROM pg_depend AS d JOIN pg_rewrite AS r ON r.oid = d.objid JOIN pg_class AS v ON v.oid = r.ev_class
  WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
    AND d.refobjid = to_regclass('public.social_accounts') AND v.relkind IN ('v', 'm')
    AND NOT coalesce(v.reloptions && ARRAY['security_invoker=true', 'security_invoker=on'], false)
    AND (has_any_column_privilege(to_regrole('anon')::oid, v.oid, 'SELECT')
         OR has_any_column_privilege(to_regrole('authenticated')::oid, v.oid, 'SELECT'))
  HAVING count(*) > 0
  UNION ALL
  -- For a role of that name, an unqualified CREATE TABLE would use our schema: "$user" is first in search_path.
  SELECT 'the schema socialsync holds our objects, and is first in the search_path of the role of that name: '
         'ALTER ROLE socialsync SET search_path = public'
  WHERE EXISTS (SELECT FROM pg_roles WHERE rolname = 'socialsync' AND rolname IN (current_user, session_user)
                  AND NOT coalesce(rolconfig::text LIKE '%search_path=%', false))
    AND NOT EXISTS (SELECT FROM pg_db_role_setting AS s JOIN pg_database AS d ON d.oid = s.setdatabase
                    WHERE d.datname = current_database() AND s.setconfig::text LIKE '%search_path=%')
  UNION ALL
  SELECT format('privilege missing for %I to check that functions and views are unchanged: GRANT USAGE ON SCHEMA socialsync TO '
                '%1$I; GRANT SELECT ON socialsync.fingerprints, socialsync.preimages TO %1$I', current_user)
  WHERE NOT (pg_temp.may_read('socialsync.fingerprints') AND pg_temp.may_read('socialsync.preimages'))
  UNION ALL
  -- The table of users belongs to the application.
  SELECT 'public.users has no row-level security and is open to the roles of the web API: every user can read '
         'the e-mail addresses of all users. Enable it, with a policy such as USING (id = auth.uid())'
  FROM pg_class
  WHERE oid = to_regclass('public.users') AND NOT relrowsecurity
    AND (has_any_column_privilege(to_regrole('authenticated')::oid, oid, 'SELECT')
         OR has_any_column_privilege(to_regrole('anon')::oid, oid, 'SELECT'));
$$;
-- ---------------------------------------------------------------------------------------------------------------
-- Monitoring views. CREATE OR REPLACE drops options that it does not repeat, so security_invoker is set each time.

-- PostgreSQL 14 has no security_invoker: there, the views are for service_role only.
CREATE OR REPLACE FUNCTION pg_temp.view_statements() RETURNS text LANGUAGE sql AS $view$
  SELECT CASE WHEN current_setting('server_version_num')::integer >= 150000 THEN
    replace(text, ' AS -- security_invoker', ' WITH (security_invoker = true) AS')
    || 'GRANT SELECT ON socialsync.user_emails, public.active_webhook_accounts, public.webhook_stats_by_user '
       'TO authenticated;'
  ELSE text END
  FROM (VALUES ($sql$
-- The views below run with the privileges of their caller, who may not read users. This view runs with those of its owner
-- and returns a signed-in user's own address, or all addresses to roles that may read users. security_barrier evaluates the
-- caller's conditions only on visible rows.
CREATE OR REPLACE VIEW socialsync.user_emails WITH (security_barrier = true) AS
  SELECT u.id, u.email
  FROM public.users AS u
  WHERE u.id = (SELECT auth.uid())
     OR (SELECT pg_has_role('service_role', 'USAGE')
                OR has_column_privilege('public.users', 'email', 'SELECT') AND NOT row_security_active('public.users'));

-- Accounts that can receive webhooks, newest webhook first.
CREATE OR REPLACE VIEW public.active_webhook_accounts AS -- security_invoker
  SELECT a.id, a.user_id, u.email, a.platform, a.phone_number_id, a.page_id, a.business_name, a.display_name,
         a.webhook_status, a.last_webhook_at, a.webhook_events, a.created_at
  FROM public.social_accounts AS a
  LEFT JOIN socialsync.user_emails AS u ON u.id = a.user_id
  WHERE a.is_active AND (a.phone_number_id IS NOT NULL OR a.page_id IS NOT NULL)
  ORDER BY a.last_webhook_at DESC NULLS LAST, a.created_at DESC;

-- One row for each account of a platform with webhooks; 0 without webhooks.
CREATE OR REPLACE VIEW public.webhook_stats_by_user AS -- security_invoker
  SELECT a.user_id, u.email, a.platform, a.business_name, l.total_webhooks, l.processed_webhooks, l.error_webhooks,
         l.avg_processing_time_ms, greatest(a.last_webhook_at, l.newest) AS last_webhook_at
  FROM public.social_accounts AS a
  LEFT JOIN socialsync.user_emails AS u ON u.id = a.user_id
  CROSS JOIN LATERAL (
    SELECT count(*) AS total_webhooks,
           count(*) FILTER (WHERE w.status = 'processed') AS processed_webhooks,
           count(*) FILTER (WHERE w.status = 'error') AS error_webhooks,
           round(avg(w.processing_time_ms), 2) AS avg_processing_time_ms,
           max(w.created_at) AS newest
    FROM public.webhook_logs AS w WHERE w.social_account_id = a.id) AS l
  WHERE a.platform IN ('whatsapp', 'whatsapp_business', 'instagram', 'facebook');

COMMENT ON VIEW socialsync.user_emails IS
  'SocialSync Webhooks: e-mail addresses that the caller may read, for the views in public';
COMMENT ON VIEW public.active_webhook_accounts IS
  'SocialSync Webhooks: accounts that can receive webhooks, newest webhook first; only the caller''s';
COMMENT ON VIEW public.webhook_stats_by_user IS
  'SocialSync Webhooks: the number of webhooks received by each account; only the caller''s';

REVOKE ALL ON socialsync.user_emails, public.active_webhook_accounts, public.webhook_stats_by_user
  FROM PUBLIC, anon, authenticated, service_role;
GRANT SELECT ON socialsync.user_emails, public.active_webhook_accounts, public.webhook_stats_by_user TO service_role;
$sql$)) AS statements (text);
$view$;

CREATE OR REPLACE FUNCTION pg_temp.view_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $$
  SELECT * FROM pg_temp.definition_step('views', 'views active_webhook_accounts, webhook_stats_by_user', '{}',
    '{socialsync.user_emails, public.active_webhook_accounts, public.webhook_stats_by_user}',
    pg_temp.view_statements());
$$;
-- ---------------------------------------------------------------------------------------------------------------
-- Rows that block a step, and accounts that no webhook could reach

-- Counts the rows of one kind and names the first twenty.
CREATE OR REPLACE FUNCTION pg_temp.rows_of_kind(of_kind text, what text, condition text) RETURNS TABLE (kind text, found text)
LANGUAGE plpgsql AS $$
DECLARE
  accounts bigint;
  named    text;
BEGIN
  EXECUTE 'SELECT count(*) FROM public.social_accounts AS a WHERE ' || condition INTO accounts;
  IF accounts > 0 THEN
    EXECUTE 'SELECT string_agg(id::text, '', '' ORDER BY id) FROM (SELECT a.id FROM public.social_accounts AS a WHERE '
            || condition || ' LIMIT 20) AS first' INTO named;
    RETURN QUERY SELECT of_kind, format('%s account(s) %s: %s%s', accounts, what, named,
                                                  CASE WHEN accounts > 20 THEN ', …' END);
  END IF;
END $$;

-- Accounts that share a value: one line for each value, at most twenty lines with twenty accounts each.
CREATE OR REPLACE FUNCTION pg_temp.duplicates(column_name text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format(
    'SELECT format(''%1$s %%s is the same for accounts %%s%%s'', coalesce(nullif(%1$I, ''''), ''''''''''''),
                   string_agg(id::text, '', '' ORDER BY id) FILTER (WHERE place <= 20),
                   CASE WHEN count(*) > 20 THEN format('', … (%%s in all)'', count(*)) END)
     FROM (SELECT id, %1$I, row_number() OVER (PARTITION BY %1$I ORDER BY id) AS place
           FROM public.social_accounts WHERE %1$I IS NOT NULL) AS claims
     GROUP BY %1$I HAVING count(*) > 1 ORDER BY %1$I LIMIT 20',
    column_name);
END $$;

-- The routing key of each platform, and the objects that already guarantee valid rows.
CREATE OR REPLACE FUNCTION pg_temp.routing_keys()
RETURNS TABLE (name text, platforms text[], is_there boolean, is_unique boolean, is_given boolean) LANGUAGE sql AS $$
  SELECT k.name, k.platforms, a.attname IS NOT NULL, coalesce(i.indisvalid, false), coalesce(c.convalidated, false)
  FROM (VALUES ('phone_number_id', ARRAY['whatsapp', 'whatsapp_business'], 'social_accounts_whatsapp_has_phone_number_id'),
               ('page_id', ARRAY['instagram'], 'social_accounts_instagram_has_page_id')) AS k (name, platforms, given_by)
  LEFT JOIN pg_attribute AS a ON a.attrelid = to_regclass('public.social_accounts') AND a.attname = k.name
                             AND NOT a.attisdropped
  LEFT JOIN pg_index AS i ON i.indexrelid = to_regclass('public.idx_social_accounts_' || k.name) AND i.indisunique
                         AND i.indrelid = to_regclass('public.social_accounts')
  LEFT JOIN pg_constraint AS c ON c.conrelid = to_regclass('public.social_accounts') AND c.conname = k.given_by;
$$;

-- All blocking rows; `kind` is lacking, empty, duplicate or orphan. Scans social_accounts several times.
CREATE OR REPLACE FUNCTION pg_temp.blocking_rows() RETURNS TABLE (kind text, found text) LANGUAGE plpgsql AS $$
DECLARE
  key record;
BEGIN
  IF to_regclass('public.social_accounts') IS NULL OR to_regclass('public.users') IS NULL THEN
    RETURN;
  END IF;
  FOR key IN SELECT * FROM pg_temp.routing_keys() LOOP
    IF NOT key.is_given THEN
      RETURN QUERY SELECT r.* FROM unnest(key.platforms) AS p, pg_temp.rows_of_kind('lacking',
        format('of platform %s have no %s', p, key.name),
        format('a.platform::text = %L', p) || CASE WHEN key.is_there THEN format(' AND a.%I IS NULL', key.name) ELSE '' END)
        AS r;
    END IF;
    IF key.is_there THEN
      RETURN QUERY SELECT * FROM pg_temp.rows_of_kind('empty', format('have the empty text as their %s', key.name),
                                                      format('a.%I = ''''', key.name));
    END IF;
    IF key.is_there AND NOT key.is_unique THEN
      RETURN QUERY SELECT 'duplicate', d FROM pg_temp.duplicates(key.name) AS d;
    END IF;
  END LOOP;
  RETURN QUERY SELECT * FROM pg_temp.rows_of_kind('orphan', 'belong to a user that does not exist, so their webhooks '
    'cannot be logged', 'NOT EXISTS (SELECT FROM public.users AS u WHERE u.id = a.user_id)');
END $$;
-- ---------------------------------------------------------------------------------------------------------------
-- Quarantines accounts that share a phone number or page, when the operator asks for it

-- Creates the table of replaced values, which undo and rollback restore; `written` is a digest of the new value. Revokes
-- default privileges.
CREATE OR REPLACE FUNCTION pg_temp.make_backfill_preimages() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  owner text := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'public.social_accounts'::regclass);
  role  text;
BEGIN
  IF to_regclass('socialsync.backfill_preimages') IS NOT NULL THEN
    RETURN;
  END IF;
  CREATE TABLE socialsync.backfill_preimages (
    run         text,
    id          uuid,
    column_name text,
    old_value   text,
    written     bytea NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run, id, column_name)
  );
  COMMENT ON TABLE socialsync.backfill_preimages IS
    'SocialSync Webhooks: values replaced by backfill, for migrate backfill --undo and rollback; includes secrets';
  IF owner <> current_user THEN
    EXECUTE format('ALTER TABLE socialsync.backfill_preimages OWNER TO %I', owner);
  END IF;
  REVOKE ALL ON socialsync.backfill_preimages FROM PUBLIC;
  FOR role IN SELECT DISTINCT pg_get_userbyid(grantee) FROM pg_class, aclexplode(relacl)
              WHERE oid = 'socialsync.backfill_preimages'::regclass AND grantee NOT IN (0, relowner) LOOP
    EXECUTE format('REVOKE ALL ON socialsync.backfill_preimages FROM %I', role);
  END LOOP;
END $$;

-- Leaves a shared value to one account, the oldest active one, so that claiming an existing number later is of no use. All
-- other accounts get a unique value that no webhook has, and webhook_status 'error'; their values are stored under the name
-- of the run (the setting socialsync.run). No account keeps an empty text. Returns a line for each changed account.
CREATE OR REPLACE FUNCTION pg_temp.quarantine_duplicates(column_name text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  this_run text := coalesce(nullif(current_setting('socialsync.run', true), ''), gen_random_uuid()::text);
BEGIN
  PERFORM pg_temp.make_backfill_preimages();
  PERFORM set_config('lock_timeout', '100ms', true);
  RETURN QUERY EXECUTE format($sql$
    WITH claims AS (
      SELECT id, %1$I AS value, count(*) OVER (PARTITION BY %1$I) AS claims, row_number() OVER by_age AS place,
             first_value(id) OVER by_age AS keeper
      FROM public.social_accounts WHERE %1$I IS NOT NULL
      WINDOW by_age AS (PARTITION BY %1$I ORDER BY is_active IS TRUE DESC, created_at, id)
    ), losers AS MATERIALIZED (
      SELECT a.id, c.value, a.webhook_status, CASE WHEN c.value <> '' THEN c.keeper END AS keeper
      FROM claims AS c JOIN public.social_accounts AS a ON a.id = c.id AND a.%1$I = c.value
      WHERE c.claims > 1 AND (c.place > 1 OR c.value = '')
        -- Restores the role's search_path for the application's triggers.
        AND (SELECT set_config('search_path', reset_val, true) FROM pg_settings WHERE name = 'search_path') IS NOT NULL
      FOR NO KEY UPDATE OF a
    ), changed AS (
      UPDATE public.social_accounts AS a SET %1$I = 'duplicate:' || l.id, webhook_status = 'error'
      FROM losers AS l WHERE a.id = l.id
    ), saved AS (
      INSERT INTO socialsync.backfill_preimages (run, id, column_name, old_value, written)
      SELECT $1, id, $2, value, sha256(convert_to('duplicate:' || id, 'UTF8')) FROM losers
      UNION ALL
      SELECT $1, id, 'webhook_status', webhook_status, sha256('error') FROM losers
      WHERE webhook_status IS DISTINCT FROM 'error'
      -- The application may have set the value again before the index existed.
      ON CONFLICT (run, id, column_name) DO UPDATE SET old_value = excluded.old_value
    )
    SELECT format('account %%s loses %%s %%L%%s', id, $2, value, ', which account ' || keeper || ' keeps')
    FROM losers ORDER BY value, id LIMIT 100$sql$, column_name) USING this_run, column_name;
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  RETURN QUERY
    SELECT format('these are the first 100 of %s account(s): SELECT id, old_value FROM socialsync.backfill_preimages '
                  'WHERE run = %L AND column_name = %L', count(*), this_run, $1)
    FROM socialsync.backfill_preimages AS p WHERE p.run = this_run AND p.column_name = $1
    HAVING count(*) > 100;
  RETURN NEXT format('to restore these values: socialsync migrate backfill --undo %s', this_run);
END $$;
-- ---------------------------------------------------------------------------------------------------------------
-- Unique indexes: one account for each phone number and each page

-- Raises data_blocks with the names of accounts that share a value. When the setting socialsync.duplicates is `quarantine`,
-- calls quarantine_duplicates() instead.
CREATE OR REPLACE FUNCTION pg_temp.require_distinct(column_name text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  doubles text := (SELECT string_agg('  ' || d, E'\n') FROM pg_temp.duplicates(column_name) AS d);
BEGIN
  IF doubles IS NULL THEN
    RETURN;
  ELSIF current_setting('socialsync.duplicates', true) = 'quarantine' THEN
    RETURN QUERY SELECT pg_temp.quarantine_duplicates(column_name);
  ELSE
    PERFORM pg_temp.data_blocks(format(
      E'%s decides which account receives a webhook: keep it on one account, then run this again.\n%s', column_name, doubles));
  END IF;
END $$;

-- An interrupted build leaves an invalid index, which IF NOT EXISTS would accept; an interrupted REINDEX leaves one named
-- _ccnew. CONCURRENTLY blocks no session, and waits for older transactions.
CREATE OR REPLACE FUNCTION pg_temp.index_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $$
  SELECT 'index.' || i.column_name || '.leftover' || coalesce(substring(x.indexrelid::regclass::text FROM '_ccnew.*'), ''),
         format('drop of invalid index %s', c.relname), 'SHARE UPDATE EXCLUSIVE',
         '{public.social_accounts}'::text[], true, false, NULL,
         format('DROP INDEX CONCURRENTLY %s', x.indexrelid::regclass), NULL, 'left by an interrupted build'
  FROM pg_temp.unique_indexes() AS i
  JOIN pg_class AS c ON c.relnamespace = 'public'::regnamespace AND c.relname ~ ('^' || i.name || '(_ccnew\d*)?$')
  JOIN pg_index AS x ON x.indexrelid = c.oid AND NOT x.indisvalid
                    AND x.indrelid = to_regclass('public.social_accounts')
  UNION ALL
  SELECT 'index.' || i.column_name, 'index ' || i.name, 'SHARE UPDATE EXCLUSIVE', '{public.social_accounts}', true,
         coalesce(x.indisvalid, false), format('SELECT pg_temp.require_distinct(%L)', i.column_name),
         replace(i.definition, ' INDEX ', ' INDEX CONCURRENTLY '), NULL, NULL
  FROM pg_temp.unique_indexes() AS i LEFT JOIN pg_index AS x ON x.indexrelid = to_regclass('public.' || i.name);
$$;
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
-- ---------------------------------------------------------------------------------------------------------------
-- One owner of all objects, the owner of social_accounts, even when an administrator runs this

CREATE OR REPLACE FUNCTION pg_temp.owner_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $$
  SELECT 'owner', 'one owner', NULL, '{}'::text[], false, statements IS NULL, NULL, statements, NULL, NULL
  FROM (
    SELECT string_agg(format('ALTER %s OWNER TO %I', thing, owner), '; ')
    FROM (SELECT relowner AS owner_id, pg_get_userbyid(relowner) AS owner
          FROM pg_class WHERE oid = to_regclass('public.social_accounts')) AS accounts,
    LATERAL (
      SELECT format('SCHEMA %I', nspname) AS thing, nspowner AS has FROM pg_namespace
      WHERE nspname IN ('socialsync', 'auth') AND pg_temp.is_ours(obj_description(oid, 'pg_namespace'))
      UNION ALL
      SELECT format('%s %s', CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, oid::regclass), relowner
      FROM pg_class
      WHERE relkind IN ('r', 'p', 'v')
        AND (relnamespace = to_regnamespace('socialsync')
             OR oid IN (SELECT to_regclass(t) FROM pg_temp.walled_tables() AS t WHERE t <> 'public.social_accounts')
             OR oid IN (to_regclass('public.active_webhook_accounts'), to_regclass('public.webhook_stats_by_user')))
      UNION ALL
      SELECT format('FUNCTION %s', oid::regprocedure), proowner FROM pg_proc
      WHERE pronamespace = to_regnamespace('socialsync')
         OR oid = pg_temp.routine('auth.uid()') AND pg_temp.is_ours(obj_description(oid, 'pg_proc'))
         OR pronamespace = 'public'::regnamespace AND proname IN (SELECT name FROM pg_temp.public_functions())
    ) AS ours
    WHERE ours.has <> accounts.owner_id
  ) AS changes (statements);
$$;

-- The default partitions of maintain_partitions(). One transaction for each, because it blocks writers of users and
-- social_accounts.
CREATE OR REPLACE FUNCTION pg_temp.maintenance_steps() RETURNS SETOF pg_temp.step LANGUAGE sql AS $$
  SELECT 'partition.' || right(name, 8), 'partition socialsync.' || name, 'SHARE ROW EXCLUSIVE',
         '{public.users, public.social_accounts}'::text[], false, pg_temp.relation('socialsync.' || name) IS NOT NULL, NULL,
         format('SELECT socialsync.add_partition(%L, %L)', name, monday), NULL, NULL
  FROM pg_temp.wanted_partitions(4, NULL)
  UNION ALL
  SELECT 'partition.attempts', 'partitions of webhook_delivery_attempts', NULL, '{}', false,
         NOT EXISTS (SELECT FROM pg_temp.wanted_attempt_partitions(4) AS w
                     WHERE pg_temp.relation('socialsync.' || w.name) IS NULL), NULL,
         'SELECT socialsync.maintain_attempts(4, NULL)', NULL, NULL;
$$;
-- ---------------------------------------------------------------------------------------------------------------
-- After all steps: ways in which a tenant could see the rows of another, according to the catalogue

CREATE OR REPLACE FUNCTION pg_temp.leaks() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT format('%s has no row-level security', oid::regclass) FROM pg_class
  WHERE NOT relrowsecurity
    AND (oid IN (SELECT to_regclass(t) FROM pg_temp.walled_tables() AS t)
         OR oid IN (SELECT inhrelid FROM pg_inherits
                    WHERE inhparent IN (to_regclass('public.webhook_logs'), to_regclass('public.webhook_delivery_attempts'))))
  UNION ALL
  SELECT format('authenticated can read social_accounts.%s', secret)
  FROM unnest(ARRAY['app_secret', 'verify_token', 'access_token', 'refresh_token']) AS secret
  WHERE has_column_privilege('authenticated', 'public.social_accounts', secret, 'SELECT')
  UNION ALL
  SELECT format('%s can read %s', role, tbl)
  FROM unnest(ARRAY['anon', 'authenticated']) AS role,
       (SELECT t FROM pg_temp.walled_tables() AS t
        UNION ALL VALUES ('public.active_webhook_accounts'), ('public.webhook_stats_by_user')) AS tables (tbl)
  WHERE has_any_column_privilege(role, tbl, 'SELECT')
    AND (role = 'anon' OR tbl LIKE 'public.webhook\_%' AND tbl NOT IN ('public.webhook_logs', 'public.webhook_stats_by_user'))
  UNION ALL
  SELECT format('%s can call %s', role, p.oid::regprocedure)
  FROM unnest(ARRAY['anon', 'authenticated']) AS role, pg_proc AS p
  WHERE has_function_privilege(role, p.oid, 'EXECUTE')
    AND (p.pronamespace = 'socialsync'::regnamespace
         OR p.pronamespace = 'public'::regnamespace AND p.proname IN (SELECT name FROM pg_temp.public_functions()))
  UNION ALL
  SELECT format('%s does not pin its search_path', oid::regprocedure) FROM pg_proc
  WHERE pronamespace = 'socialsync'::regnamespace AND prosecdef
    AND NOT coalesce(proconfig::text LIKE '%search_path=%', false)
  UNION ALL
  SELECT format('%s runs with its owner''s privileges', oid::regclass) FROM pg_class
  WHERE oid IN (to_regclass('public.active_webhook_accounts'), to_regclass('public.webhook_stats_by_user'))
    AND NOT coalesce('security_invoker=true' = ANY (reloptions), false)
    AND has_table_privilege('authenticated', oid, 'SELECT');
$$;
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

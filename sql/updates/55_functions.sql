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

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

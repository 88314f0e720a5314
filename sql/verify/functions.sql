-- The functions that programs call: signature, no second function of the name, SECURITY INVOKER.
SELECT coalesce(f.arguments = n.arguments AND f.result = n.result AND NOT f.prosecdef AND f.namesakes = 1
                AND f.service_may, false) AS ok,
       n.name || CASE WHEN f.oid IS NULL THEN ' is missing'
                      WHEN f.namesakes > 1 THEN format(' is there %s times, which makes calls ambiguous', f.namesakes)
                      WHEN f.arguments <> n.arguments THEN ' takes ' || f.arguments
                      WHEN f.result <> n.result THEN ' returns ' || f.result
                      WHEN f.prosecdef THEN ' is SECURITY DEFINER: row-level security does not hold inside'
                      ELSE ' may not be called by service_role' END AS item,
       CASE WHEN f.namesakes > 1 OR f.arguments <> n.arguments OR f.result <> n.result
            THEN format('drop or rename what is not ours (\df public.%s), then run: socialsync migrate apply', n.name)
       END AS todo
FROM (VALUES
  ('get_whatsapp_user_by_phone_number_id', 'p_phone_number_id character varying',
   'TABLE(user_id uuid, social_account_id uuid, access_token text, app_secret character varying, '
   'verify_token character varying, display_phone_number character varying, business_name character varying, '
   'username character varying, is_active boolean)'),
  ('get_instagram_user_by_page_id', 'p_page_id character varying',
   'TABLE(user_id uuid, social_account_id uuid, access_token text, app_secret character varying, '
   'verify_token character varying, display_name character varying, username character varying, is_active boolean)'),
  ('log_webhook',
   'p_social_account_id uuid, p_platform public.social_platform, p_webhook_type character varying, p_payload jsonb, '
   'p_external_message_id character varying DEFAULT NULL::character varying, '
   'p_customer_identifier character varying DEFAULT NULL::character varying', 'uuid'),
  ('mark_webhook_processed',
   'p_log_id uuid, p_processing_time_ms integer DEFAULT NULL::integer, p_error_message text DEFAULT NULL::text', 'void'),
  ('claim_webhooks',
   'p_social_account_id uuid, p_limit integer DEFAULT 10, p_lease interval DEFAULT ''00:05:00''::interval',
   'TABLE(log_id uuid, webhook_type character varying, payload jsonb, external_message_id character varying, '
   'customer_identifier character varying, received_at timestamp with time zone, claims integer)')
  ) AS n (name, arguments, result)
LEFT JOIN LATERAL (
  SELECT oid, prosecdef, pg_get_function_arguments(oid) AS arguments, pg_get_function_result(oid) AS result,
         count(*) OVER () AS namesakes, has_function_privilege('service_role', oid, 'EXECUTE') AS service_may
  FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname = n.name
  ORDER BY pg_get_function_arguments(oid) = n.arguments DESC LIMIT 1) AS f ON true

-- Every SECURITY DEFINER function pins its search_path.
SELECT coalesce(p.proconfig::text LIKE '%search_path=%', false) AS ok,
       format('%s is SECURITY DEFINER and does not pin its search_path', p.oid::regprocedure) AS item,
       format('ALTER FUNCTION %s SET search_path = pg_catalog, pg_temp; or run: socialsync migrate apply',
              p.oid::regprocedure) AS todo
FROM pg_proc AS p
WHERE p.prosecdef
  AND (p.pronamespace = to_regnamespace('socialsync')
       OR p.pronamespace = 'public'::regnamespace
          AND p.proname IN ('get_whatsapp_user_by_phone_number_id', 'get_instagram_user_by_page_id', 'log_webhook',
                            'mark_webhook_processed', 'claim_webhooks'))

-- The indexes exist, are valid and have their exact definition. The two unique ones route webhooks.
SELECT coalesce(x.indisvalid AND x.indisready AND x.indislive AND x.definition = n.definition, false) AS ok,
       n.name || CASE WHEN x.indexrelid IS NULL THEN ' is missing'
                      WHEN x.definition <> n.definition THEN ' is ' || x.definition
                      WHEN NOT x.indisready THEN ' is incomplete'
                      ELSE ' is not valid' END AS item,
       CASE WHEN x.definition <> n.definition
            THEN format('ALTER INDEX public.%I RENAME TO %I, then run: socialsync migrate apply', n.name, 'old_' || n.name)
       END AS todo
FROM (VALUES
  ('public', 'idx_social_accounts_phone_number_id',
   'CREATE UNIQUE INDEX idx_social_accounts_phone_number_id ON public.social_accounts USING btree (phone_number_id) '
   'WHERE (phone_number_id IS NOT NULL)'),
  ('public', 'idx_social_accounts_page_id',
   'CREATE UNIQUE INDEX idx_social_accounts_page_id ON public.social_accounts USING btree (page_id) '
   'WHERE (page_id IS NOT NULL)'),
  ('public', 'webhook_logs_pkey',
   'CREATE UNIQUE INDEX webhook_logs_pkey ON ONLY public.webhook_logs USING btree (id)'),
  ('public', 'idx_webhook_logs_account',
   'CREATE INDEX idx_webhook_logs_account ON ONLY public.webhook_logs USING btree (social_account_id, created_at DESC)'),
  ('public', 'idx_webhook_logs_user',
   'CREATE INDEX idx_webhook_logs_user ON ONLY public.webhook_logs USING btree (user_id, created_at DESC)'),
  ('public', 'idx_webhook_logs_created_at',
   'CREATE INDEX idx_webhook_logs_created_at ON ONLY public.webhook_logs USING btree (created_at DESC)'),
  ('public', 'idx_webhook_logs_external_message_id',
   'CREATE INDEX idx_webhook_logs_external_message_id ON ONLY public.webhook_logs USING hash (external_message_id)'),
  ('public', 'webhook_quarantine_pkey',
   'CREATE UNIQUE INDEX webhook_quarantine_pkey ON public.webhook_quarantine USING btree (id)'),
  ('public', 'idx_webhook_quarantine_created_at',
   'CREATE INDEX idx_webhook_quarantine_created_at ON public.webhook_quarantine USING btree (created_at)'),
  ('public', 'idx_webhook_quarantine_routing_key',
   'CREATE INDEX idx_webhook_quarantine_routing_key ON public.webhook_quarantine USING btree (routing_key) '
   'WHERE (routing_key IS NOT NULL)'),
  ('public', 'webhook_endpoints_pkey',
   'CREATE UNIQUE INDEX webhook_endpoints_pkey ON public.webhook_endpoints USING btree (id)'),
  ('public', 'webhook_endpoints_social_account_id_place_key',
   'CREATE UNIQUE INDEX webhook_endpoints_social_account_id_place_key ON public.webhook_endpoints USING btree '
   '(social_account_id, place)'),
  ('public', 'webhook_deliveries_pkey',
   'CREATE UNIQUE INDEX webhook_deliveries_pkey ON public.webhook_deliveries USING btree (event_id, endpoint_id)'),
  ('public', 'idx_webhook_deliveries_due',
   'CREATE INDEX idx_webhook_deliveries_due ON public.webhook_deliveries USING btree (endpoint_id, due_at)'),
  ('public', 'idx_webhook_deliveries_conversation',
   'CREATE INDEX idx_webhook_deliveries_conversation ON public.webhook_deliveries USING btree '
   '(endpoint_id, conversation, "position") WHERE ((conversation IS NOT NULL) AND '
   '(due_at < ''infinity''::timestamp with time zone))'),
  ('public', 'idx_webhook_delivery_attempts_event',
   'CREATE INDEX idx_webhook_delivery_attempts_event ON ONLY public.webhook_delivery_attempts USING btree (event_id)'),
  ('public', 'idx_webhook_delivery_attempts_endpoint',
   'CREATE INDEX idx_webhook_delivery_attempts_endpoint ON ONLY public.webhook_delivery_attempts USING btree '
   '(endpoint_id, attempted_at DESC)'),
  ('socialsync', 'webhook_event_keys_pkey',
   'CREATE UNIQUE INDEX webhook_event_keys_pkey ON socialsync.webhook_event_keys USING btree (key)')
  ) AS n (schema, name, definition)
LEFT JOIN LATERAL (
  SELECT i.*, pg_get_indexdef(i.indexrelid) AS definition
  FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_namespace AS s ON s.oid = c.relnamespace
  WHERE s.nspname = n.schema AND c.relname = n.name) AS x ON true

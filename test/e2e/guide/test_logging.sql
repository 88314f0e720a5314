-- Test d'insertion de webhook log
SELECT log_webhook(
    (SELECT id FROM social_accounts WHERE phone_number_id = '683178638221369' LIMIT 1)::uuid,
    'whatsapp'::social_platform,
    'test_message',
    '{"test": true}'::jsonb,
    'msg_test_123',
    '33765540003'
);

-- Vérifier l'insertion
SELECT * FROM webhook_logs ORDER BY created_at DESC LIMIT 5;

-- Insérer un utilisateur de test (ajustez selon vos données)
INSERT INTO social_accounts (
    platform,
    account_id,
    username,
    display_name,
    phone_number_id,
    access_token,
    app_secret,
    verify_token,
    business_name,
    display_phone_number,
    webhook_events,
    webhook_status,
    user_id,
    is_active
) VALUES (
    'whatsapp_business',
    'wa_test_123',
    'test_business',
    'Test Business',
    '683178638221369',
    'test_token',
    'test_app_secret',
    'test_verify_token',
    'Mon Business Test',
    '+33765540003',
    ARRAY['messages', 'message_deliveries'],
    'active',
    (SELECT id FROM users LIMIT 1), -- Premier utilisateur
    true
) ON CONFLICT (platform, account_id) DO UPDATE SET
    phone_number_id = EXCLUDED.phone_number_id,
    app_secret = EXCLUDED.app_secret,
    verify_token = EXCLUDED.verify_token;

"""The end-to-end test of the migration guide, to the letter."""

ADD_TENANT = """\
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
"""

SEND = """\
# Test API avec le nouveau système
curl -X POST "http://localhost:8000/api/whatsapp/webhook-test" \\
  -H "Content-Type: application/json" \\
  -d '{
    "entry": [{
      "id": "683178638221369",
      "changes": [{
        "field": "messages",
        "value": {
          "messages": [{
            "id": "msg_test_123",
            "from": "33765540003",
            "type": "text",
            "text": {"body": "Test message multi-tenant"}
          }]
        }
      }]
    }]
  }'
"""

LOOK = """\
-- Vérifier que le webhook a été logé
SELECT 
    wl.*,
    sa.business_name,
    u.email
FROM webhook_logs wl
JOIN social_accounts sa ON sa.id = wl.social_account_id
JOIN users u ON u.id = wl.user_id
ORDER BY wl.created_at DESC
LIMIT 10;
"""

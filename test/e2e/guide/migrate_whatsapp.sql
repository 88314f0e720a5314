-- Mettre à jour les comptes WhatsApp existants avec des données fictives
-- (Remplacez par vos vraies données)

UPDATE social_accounts
SET
    phone_number_id = '683178638221369', -- Votre vrai phone_number_id
    app_secret = 'your_app_secret_here',
    verify_token = 'your_verify_token',
    business_name = display_name,
    webhook_events = ARRAY['messages', 'message_deliveries', 'message_reads'],
    webhook_status = 'inactive'
WHERE platform IN ('whatsapp', 'whatsapp_business')
AND phone_number_id IS NULL;

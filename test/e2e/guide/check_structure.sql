-- Vérifier que toutes les colonnes existent
SELECT column_name, data_type, is_nullable
FROM information_schema.columns
WHERE table_name = 'social_accounts'
AND column_name IN (
    'phone_number_id', 'page_id', 'app_secret',
    'verify_token', 'webhook_status'
);

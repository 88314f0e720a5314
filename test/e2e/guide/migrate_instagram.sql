-- Mettre à jour les comptes Instagram existants
UPDATE social_accounts
SET
    page_id = 'your_page_id_here', -- Votre vrai page_id Instagram
    app_secret = 'your_app_secret_here',
    verify_token = 'your_verify_token',
    webhook_events = ARRAY['messages', 'comments', 'mentions'],
    webhook_status = 'inactive'
WHERE platform = 'instagram'
AND page_id IS NULL;

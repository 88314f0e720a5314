-- Vérifier les colonnes ajoutées à social_accounts
\d social_accounts

-- Vérifier la nouvelle table webhook_logs
\d webhook_logs

-- Vérifier les fonctions créées
\df get_whatsapp_user_by_phone_number_id
\df get_instagram_user_by_page_id
\df log_webhook

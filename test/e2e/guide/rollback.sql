-- Supprimer les nouvelles colonnes (ATTENTION: perte de données)
ALTER TABLE social_accounts
    DROP COLUMN IF EXISTS phone_number_id,
    DROP COLUMN IF EXISTS page_id,
    DROP COLUMN IF EXISTS app_secret,
    DROP COLUMN IF EXISTS verify_token,
    DROP COLUMN IF EXISTS webhook_url,
    DROP COLUMN IF EXISTS business_name,
    DROP COLUMN IF EXISTS display_phone_number,
    DROP COLUMN IF EXISTS webhook_events,
    DROP COLUMN IF EXISTS webhook_status,
    DROP COLUMN IF EXISTS last_webhook_at,
    DROP COLUMN IF EXISTS webhook_metadata;

-- Supprimer la table webhook_logs
DROP TABLE IF EXISTS webhook_logs;

-- Supprimer les fonctions
DROP FUNCTION IF EXISTS get_whatsapp_user_by_phone_number_id(VARCHAR);
DROP FUNCTION IF EXISTS get_instagram_user_by_page_id(VARCHAR);
DROP FUNCTION IF EXISTS log_webhook(UUID, social_platform, VARCHAR, JSONB, VARCHAR, VARCHAR);
DROP FUNCTION IF EXISTS mark_webhook_processed(UUID, INTEGER, TEXT);

-- Restaurer depuis la sauvegarde
-- psql -d socialsync < backup_avant_migration.sql

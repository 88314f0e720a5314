-- Comptes avec webhooks
SELECT * FROM active_webhook_accounts;

-- Statistiques par utilisateur
SELECT * FROM webhook_stats_by_user;

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

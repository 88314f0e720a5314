-- Vérifier les contraintes
SELECT constraint_name, constraint_type
FROM information_schema.table_constraints
WHERE table_name = 'social_accounts';

-- Vérifier les index
SELECT indexname FROM pg_indexes
WHERE tablename IN ('social_accounts', 'webhook_logs');

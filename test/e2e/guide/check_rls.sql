-- Vérifier que RLS est activé
SELECT schemaname, tablename, rowsecurity
FROM pg_tables
WHERE tablename IN ('social_accounts', 'webhook_logs');

-- Vérifier les politiques
SELECT schemaname, tablename, policyname, roles, cmd, qual
FROM pg_policies
WHERE tablename IN ('social_accounts', 'webhook_logs');

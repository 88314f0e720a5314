-- Index sur phone_number_id
SELECT indexname, indexdef
FROM pg_indexes
WHERE tablename = 'social_accounts'
AND indexname LIKE '%phone_number%';

-- Index sur webhook_logs
SELECT indexname FROM pg_indexes WHERE tablename = 'webhook_logs';

-- The same schema as one transaction, as it is often written: all locks are held to the end, and waited for without
-- end. script/bench migrate compares with it.
BEGIN;

ALTER TYPE social_platform ADD VALUE IF NOT EXISTS 'whatsapp_business';

ALTER TABLE social_accounts
  ADD COLUMN phone_number_id varchar(100),
  ADD COLUMN page_id varchar(100),
  ADD COLUMN app_secret varchar(255),
  ADD COLUMN verify_token varchar(255),
  ADD COLUMN webhook_url varchar(500),
  ADD COLUMN business_name varchar(255),
  ADD COLUMN display_phone_number varchar(20),
  ADD COLUMN webhook_events text[],
  ADD COLUMN webhook_status varchar(50) DEFAULT 'inactive',
  ADD COLUMN last_webhook_at timestamptz,
  ADD COLUMN webhook_metadata jsonb DEFAULT '{}';

CREATE UNIQUE INDEX idx_social_accounts_phone_number_id ON social_accounts (phone_number_id)
  WHERE phone_number_id IS NOT NULL;
CREATE UNIQUE INDEX idx_social_accounts_page_id ON social_accounts (page_id) WHERE page_id IS NOT NULL;

ALTER TABLE social_accounts
  ADD CHECK (platform::text NOT IN ('whatsapp', 'whatsapp_business') OR phone_number_id IS NOT NULL),
  ADD CHECK (platform::text <> 'instagram' OR page_id IS NOT NULL),
  ADD CHECK (webhook_status IN ('inactive', 'active', 'error'));

CREATE TABLE webhook_logs (
  id                  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  social_account_id   uuid REFERENCES social_accounts (id) ON DELETE CASCADE,
  platform            social_platform NOT NULL,
  webhook_type        varchar(50) NOT NULL,
  payload             jsonb NOT NULL,
  status              varchar(50) DEFAULT 'received',
  processing_time_ms  integer,
  error_message       text,
  external_message_id varchar(255),
  customer_identifier varchar(255),
  user_id             uuid REFERENCES users (id),
  created_at          timestamptz DEFAULT now()
);
CREATE INDEX ON webhook_logs (social_account_id, created_at);
CREATE INDEX ON webhook_logs (user_id, created_at);
CREATE INDEX ON webhook_logs (external_message_id);

CREATE VIEW active_webhook_accounts AS
  SELECT a.id, a.user_id, u.email, a.platform, a.phone_number_id, a.page_id, a.business_name, a.display_name,
         a.webhook_status, a.last_webhook_at, a.webhook_events, a.created_at
  FROM social_accounts AS a JOIN users AS u ON u.id = a.user_id WHERE a.is_active;

CREATE POLICY own_accounts ON social_accounts
  USING (user_id = nullif(current_setting('request.jwt.claim.sub', true), '')::uuid);
CREATE POLICY own_logs ON webhook_logs
  USING (user_id = nullif(current_setting('request.jwt.claim.sub', true), '')::uuid);
ALTER TABLE social_accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_logs ENABLE ROW LEVEL SECURITY;

COMMIT;

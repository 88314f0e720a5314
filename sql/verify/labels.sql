-- The labels of social_platform that webhooks use.
SELECT e.oid IS NOT NULL AS ok, format('%L is missing', n.label) AS item,
       format('ALTER TYPE public.social_platform ADD VALUE IF NOT EXISTS %L; or run: socialsync migrate apply', n.label)
         AS todo
FROM unnest(ARRAY['facebook', 'instagram', 'whatsapp', 'whatsapp_business']) AS n (label)
LEFT JOIN pg_enum AS e ON e.enumtypid = to_regtype('public.social_platform') AND e.enumlabel = n.label

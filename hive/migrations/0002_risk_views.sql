-- What each hour knew of a merchant, device, IP network or customer; a column that is not the
-- entity's own is NULL. The last 49 hours: those that the detector may look into.
CREATE TABLE IF NOT EXISTS fraudwatch.core_risk_views (
  built_until_ms BIGINT, valid_from_ms BIGINT COMMENT 'event time from which it may be used',
  entity STRING COMMENT 'the field of a transaction that names it', entity_id STRING,
  merchant_fraud_ratio_30d DOUBLE, merchant_purchases_30d BIGINT, merchant_customers_30d BIGINT,
  device_customers_30d BIGINT, ip_network_customers_30d BIGINT, customer_first_seen_ms BIGINT,
  merchant_plain_frauds_7d BIGINT, merchant_plain_frauds_14d BIGINT,
  merchant_plain_frauds_28d BIGINT, merchant_plain_fraud_ms BIGINT, merchant_genuine_ms BIGINT,
  merchant_fraud_run_ms BIGINT
) USING delta PARTITIONED BY (built_until_ms);

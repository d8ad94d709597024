-- Risk views name their label delay. Rows from before have none, so they are of no use any more: the
-- table begins anew, and the hourly job fills it.
DROP TABLE IF EXISTS fraudwatch.core_risk_views;
CREATE TABLE IF NOT EXISTS fraudwatch.core_risk_views (
  built_until_ms BIGINT, valid_from_ms BIGINT COMMENT 'event time from which it may be used',
  label_delay_ms BIGINT COMMENT 'age from which a purchase without a label counted as genuine',
  entity STRING COMMENT 'the field of a transaction that names it', entity_id STRING,
  merchant_fraud_ratio_30d DOUBLE, merchant_purchases_30d BIGINT, merchant_customers_30d BIGINT,
  device_customers_30d BIGINT, ip_network_customers_30d BIGINT, customer_first_seen_ms BIGINT,
  merchant_plain_frauds_7d BIGINT, merchant_plain_frauds_14d BIGINT,
  merchant_plain_frauds_28d BIGINT, merchant_plain_fraud_ms BIGINT, merchant_genuine_ms BIGINT,
  merchant_fraud_run_ms BIGINT
) USING delta PARTITIONED BY (built_until_ms);

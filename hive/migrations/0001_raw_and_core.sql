-- Every job and report writes and reads below this database; its folder is the warehouse's.
CREATE DATABASE IF NOT EXISTS fraudwatch;

-- Messages as they stand on a topic, byte by byte; (partition, offset) names each.
CREATE TABLE IF NOT EXISTS fraudwatch.raw_transaction_topic (
  source_partition INT, source_offset BIGINT, produced_at TIMESTAMP, key STRING, value BINARY,
  headers ARRAY<STRUCT<key: STRING, value: BINARY>>, produced_on DATE
) USING delta PARTITIONED BY (produced_on);

CREATE TABLE IF NOT EXISTS fraudwatch.raw_fraud_topic (
  source_partition INT, source_offset BIGINT, produced_at TIMESTAMP, key STRING, value BINARY,
  headers ARRAY<STRUCT<key: STRING, value: BINARY>>, produced_on DATE
) USING delta PARTITIONED BY (produced_on);

CREATE TABLE IF NOT EXISTS fraudwatch.raw_feature_topic (
  source_partition INT, source_offset BIGINT, produced_at TIMESTAMP, key STRING, value BINARY,
  headers ARRAY<STRUCT<key: STRING, value: BINARY>>, produced_on DATE
) USING delta PARTITIONED BY (produced_on);

CREATE TABLE IF NOT EXISTS fraudwatch.raw_labels_topic (
  source_partition INT, source_offset BIGINT, produced_at TIMESTAMP, key STRING, value BINARY,
  headers ARRAY<STRUCT<key: STRING, value: BINARY>>, produced_on DATE
) USING delta PARTITIONED BY (produced_on);

-- One row a purchase, merged by its id. The log is the master; the extract fills what it lacks.
CREATE TABLE IF NOT EXISTS fraudwatch.core_transactions (
  transaction_id STRING, event_at_ms BIGINT, customer_token STRING, amount_minor BIGINT,
  currency STRING, amount_eur_cents BIGINT, rate_on STRING, payment_status STRING, channel STRING,
  merchant_id STRING, category STRING, item_count BIGINT, card_token STRING, card_bin STRING,
  card_last4 STRING, device_token STRING, ip_token STRING, ip_network_token STRING,
  merchant_country STRING, billing_country STRING, shipping_country STRING,
  purchase_latitude DOUBLE, purchase_longitude DOUBLE, billing_latitude DOUBLE,
  billing_longitude DOUBLE, shipping_latitude DOUBLE, shipping_longitude DOUBLE, sealed STRING,
  origin STRING COMMENT 'log or extract', event_on DATE
) USING delta PARTITIONED BY (event_on);

-- What the extract brought and the edge refused: why, never what.
CREATE TABLE IF NOT EXISTS fraudwatch.core_rejected_purchases (
  origin STRING COMMENT 'extract:DAY:LINE', code STRING, reason STRING, event_on DATE
) USING delta PARTITIONED BY (event_on);

-- The verdict that stands on each transaction: the one decided last.
CREATE TABLE IF NOT EXISTS fraudwatch.core_verdicts (
  transaction_id STRING, verdict_id STRING, customer_token STRING, outcome STRING, risk STRING,
  score DOUBLE, mode STRING, rules ARRAY<STRUCT<rule: STRING, points: BIGINT>>, route STRING,
  policy_version STRING, features_version STRING, risk_view STRING, source_partition INT,
  source_offset BIGINT,
  decided_at_ms BIGINT, event_at_ms BIGINT, amount_eur_cents BIGINT, payment_status STRING,
  channel STRING, merchant_id STRING, category STRING, merchant_country STRING, event_on DATE,
  model_scores ARRAY<STRUCT<model: STRING, version: STRING, score: DOUBLE>>
) USING delta PARTITIONED BY (event_on);

-- Every label that was ever said; the latest of a source stands.
CREATE TABLE IF NOT EXISTS fraudwatch.core_labels (
  transaction_id STRING, verdict STRING, source STRING, by STRING, known_at_ms BIGINT,
  known_on DATE
) USING delta PARTITIONED BY (known_on);

-- What each run of a job did.
CREATE TABLE IF NOT EXISTS fraudwatch.core_job_outcomes (
  run_id STRING, job STRING, from_ms BIGINT, until_ms BIGINT, rows_in BIGINT, rows_out BIGINT,
  rows_rejected BIGINT, reasons STRING, began_at_ms BIGINT, ended_at_ms BIGINT, code_version STRING,
  ended_on DATE
) USING delta PARTITIONED BY (ended_on);

-- What the fold knew of each customer at the end of a day: the batch layer's own, never the stream's.
CREATE TABLE IF NOT EXISTS fraudwatch.core_customer_states (
  customer_token STRING, state BINARY COMMENT 'the arrays of the fold, little-endian, end to end',
  features_version STRING, ends STRING COMMENT 'JSON: by partition, the first offset not in it',
  state_on DATE
) USING delta PARTITIONED BY (state_on);

-- What the stream said of a day, held against the batch layer's own computation: a row a class.
CREATE TABLE IF NOT EXISTS fraudwatch.core_reconciliation (
  finding STRING, is_fault BOOLEAN COMMENT 'false: told so that nothing is passed over in silence',
  rows BIGINT, examples STRING COMMENT 'JSON: up to ten ids with both values',
  purchases BIGINT COMMENT 'accepted ones that were looked at', run_id STRING,
  reconciled_at TIMESTAMP, code_version STRING,
  produced_on DATE COMMENT 'the day of the log, cut by offsets'
) USING delta PARTITIONED BY (produced_on);

-- How far a day lies from what is usual: features and scores by population stability index, alert
-- rate and performance by themselves.
CREATE TABLE IF NOT EXISTS fraudwatch.core_drift (
  what STRING COMMENT 'feature, score, alert_rate, precision or recall',
  name STRING COMMENT 'of the feature or score; else as what',
  value DOUBLE COMMENT 'the index, or the ratio itself; NULL: not told',
  reference_value DOUBLE COMMENT 'the ratio in the reference window; NULL for an index',
  rows BIGINT, reference_rows BIGINT,
  judgement STRING COMMENT 'quiet, past_bound, too_few_rows or not_judged',
  said STRING, reference STRING COMMENT 'which days it is held against', run_id STRING,
  monitored_at TIMESTAMP, event_on DATE
) USING delta PARTITIONED BY (event_on);

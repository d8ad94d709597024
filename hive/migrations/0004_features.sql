-- The served features again, by the same fold over the archive: packed little-endian, as on
-- feature_topic. One row for each transaction that the fold accepted.
CREATE TABLE IF NOT EXISTS fraudwatch.core_features (
  transaction_id STRING, source_partition INT, source_offset BIGINT, features BINARY,
  features_version STRING, event_on DATE
) USING delta PARTITIONED BY (event_on);

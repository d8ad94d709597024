-- Audit records and dead letters as they stand on their topics, byte by byte; a dead letter stays sealed.
CREATE TABLE IF NOT EXISTS fraudwatch.raw_audit_topic (
  source_partition INT, source_offset BIGINT, produced_at TIMESTAMP, key STRING, value BINARY,
  headers ARRAY<STRUCT<key: STRING, value: BINARY>>, produced_on DATE
) USING delta PARTITIONED BY (produced_on);

CREATE TABLE IF NOT EXISTS fraudwatch.raw_dead_letter_topic (
  source_partition INT, source_offset BIGINT, produced_at TIMESTAMP, key STRING, value BINARY,
  headers ARRAY<STRUCT<key: STRING, value: BINARY>>, produced_on DATE
) USING delta PARTITIONED BY (produced_on);

-- Reason code of the card scheme, as reported with a label; rows from before have none.
ALTER TABLE fraudwatch.core_labels ADD COLUMNS (
  reason_code STRING COMMENT 'of the card scheme; NULL: none was reported'
);

-- Match of the customer's name with a watch list, as ingest wrote it; rows from before have none.
ALTER TABLE fraudwatch.core_transactions ADD COLUMNS (
  watch_list_entry STRING COMMENT 'most similar entry, list@version:id; NULL: no match or no name',
  watch_list_similarity DOUBLE COMMENT 'of the names, 0 to 1',
  watch_list_country STRING COMMENT 'same or other; NULL: not comparable'
);

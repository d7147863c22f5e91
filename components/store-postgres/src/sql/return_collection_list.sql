-- Reads collections, newest first.
--
-- $1 the collection before which the page begins, the largest integer for the first  $2 limit
--
-- No row: the list ends here. The columns are those of return_collection_get.sql.
SELECT return_collection_id, progress, began_at_ms, finished_at_ms, listed, fresh, rejected, delivered, reported, failed,
       return_collection_seq
  FROM return_collection
 WHERE return_collection_seq < $1::bigint
 ORDER BY return_collection_seq DESC
 LIMIT $2::bigint;

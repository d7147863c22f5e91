-- Ends a collection and counts what happened since the one before it finished; the trigger tells of failures.
--
-- $1 return_collection_id  $2 listed  $3 now
--
-- No row: no such collection. One that finished before is answered as it is. The columns are those of return_collection_get.sql.
SELECT return_collection_id, progress, began_at_ms, finished_at_ms, listed, fresh, rejected, delivered, reported, failed,
       return_collection_seq
  FROM restock_return_collection_finish($1::text, $2::bigint, $3::bigint);

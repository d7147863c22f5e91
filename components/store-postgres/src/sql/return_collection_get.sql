-- Reads a collection.
--
-- $1 return_collection_id
--
-- No row: no such collection.
SELECT return_collection_id, progress, began_at_ms, finished_at_ms, listed, fresh, rejected, delivered, reported, failed,
       return_collection_seq
  FROM return_collection
 WHERE return_collection_id = $1::text;

-- Sets records of the list aside. One that was set aside before is counted once in each collection.
--
-- ?1 return_collection_id  ?2 JSON [{reason, record}]  ?3 now
INSERT INTO return_reject (return_collection_id, last_collection_id, reason, record, first_at_ms, last_at_ms)
SELECT ?1, ?1, value ->> 'reason', value ->> 'record', ?3, ?3
  FROM json_each(?2)
 WHERE true
ON CONFLICT (reason, record) DO UPDATE
   SET times = times + (last_collection_id <> excluded.last_collection_id),
       last_collection_id = excluded.last_collection_id,
       last_at_ms = max(last_at_ms, excluded.last_at_ms);

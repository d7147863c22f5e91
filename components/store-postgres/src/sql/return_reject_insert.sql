-- Sets records of the list aside. One that was set aside before is counted once in each collection.
--
-- $1 return_collection_id  $2 JSON [{reason, record}]  $3 now
--
-- One row: how many different records that were.
SELECT restock_return_reject_insert($1::text, $2::text::jsonb, $3::bigint);

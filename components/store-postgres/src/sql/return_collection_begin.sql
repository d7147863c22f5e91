-- Begins a collection; the trigger publishes the message that carries it out.
--
-- $1 every_ms  $2 now
--
-- No row: one is not over, or the last one began too lately. One that began in the future did so by a clock that was ahead.
SELECT return_collection_id FROM restock_return_collection_begin($1::bigint, $2::bigint) AS return_collection_id;

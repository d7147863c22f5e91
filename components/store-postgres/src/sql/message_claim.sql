-- Leases the messages of a queue that are due, oldest first.
--
-- $1 queue_id  $2 limit  $3 now
--
-- No row: nothing is due, the queue is unknown or paused, or as many are under lease as may be. A queue that keeps an order
-- gives out the oldest unfinished message of each subject only.
SELECT (claimed).message_seq, (claimed).message_id, (claimed).receipt, (claimed).attempts, (claimed).lease_until_ms,
       (claimed).event_id, (claimed).subject, source, type, time_ms, data::text, traceparent
  FROM restock_message_claim($1::text, $2::bigint, $3::bigint);

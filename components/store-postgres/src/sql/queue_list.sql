-- Reads all queues with their counts.
--
-- $1 now
--
-- What was done within the last minute is estimated as a product's pace is, and is a number as a text.
SELECT queue_id, paused, ordered,
       (SELECT count(*) FROM message WHERE message.queue_id = queue.queue_id AND state = 'ready') AS ready,
       (SELECT count(*) FROM message WHERE message.queue_id = queue.queue_id AND state = 'leased') AS leased,
       (SELECT count(*) FROM message WHERE message.queue_id = queue.queue_id AND state = 'buried') AS buried,
       done_total,
       greatest(0, $1::bigint - coalesce((SELECT min(created_at_ms) FROM message
                                           WHERE message.queue_id = queue.queue_id AND state = 'ready'), $1::bigint))
         / 1000 AS oldest_s,
       (SELECT count(*) FROM message
         WHERE message.queue_id = queue.queue_id AND state = 'ready' AND available_at_ms <= $1::bigint) AS due,
       greatest(0, $1::bigint - coalesce((SELECT min(available_at_ms) FROM message
                                           WHERE message.queue_id = queue.queue_id AND state = 'ready'), $1::bigint))
         / 1000 AS oldest_due_s,
       lease_ms, in_flight_max, retention_ms, attempts_max, retried_total, postponed_total, buried_total, expired_total,
       restock_sliding(done_minute, done_minute_messages, done_minute_before, 60000, $1::bigint)::text AS done_last_minute
  FROM queue
 ORDER BY queue_id;

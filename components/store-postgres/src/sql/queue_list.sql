-- Reads all queues with their counts.
--
-- $1 now
SELECT queue_id, paused, ordered,
       (SELECT count(*) FROM message WHERE message.queue_id = queue.queue_id AND state = 'ready') AS ready,
       (SELECT count(*) FROM message WHERE message.queue_id = queue.queue_id AND state = 'leased') AS leased,
       (SELECT count(*) FROM message WHERE message.queue_id = queue.queue_id AND state = 'buried') AS buried,
       done_total,
       greatest(0, $1::bigint - coalesce((SELECT min(created_at_ms) FROM message
                                           WHERE message.queue_id = queue.queue_id AND state = 'ready'), $1::bigint))
         / 1000 AS oldest_s,
       lease_ms, in_flight_max, retention_ms, attempts_max
  FROM queue
 ORDER BY queue_id;

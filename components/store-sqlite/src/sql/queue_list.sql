-- Reads all queues with their counts.
--
-- ?1 now
--
-- What was done within the last minute is estimated as a product's pace is (product_cover.sql), and is a number as a text.
SELECT queue_id, paused, ordered,
       (SELECT count(*) FROM message WHERE message.queue_id = queue.queue_id AND state = 'ready') AS ready,
       (SELECT count(*) FROM message WHERE message.queue_id = queue.queue_id AND state = 'leased') AS leased,
       (SELECT count(*) FROM message WHERE message.queue_id = queue.queue_id AND state = 'buried') AS buried,
       done_total,
       max(0, ?1 - coalesce((SELECT min(created_at_ms) FROM message
                              WHERE message.queue_id = queue.queue_id AND state = 'ready'), ?1)) / 1000 AS oldest_s,
       (SELECT count(*) FROM message
         WHERE message.queue_id = queue.queue_id AND state = 'ready' AND available_at_ms <= ?1) AS due,
       max(0, ?1 - coalesce((SELECT min(available_at_ms) FROM message
                              WHERE message.queue_id = queue.queue_id AND state = 'ready'), ?1)) / 1000 AS oldest_due_s,
       lease_ms, in_flight_max, retention_ms, attempts_max, retried_total, postponed_total, buried_total, expired_total,
       CAST(CASE ?1 / 60000 - done_minute
              WHEN 0 THEN done_minute_messages + done_minute_before * (1 - (?1 % 60000) / 60000.0)
              WHEN 1 THEN done_minute_messages * (1 - (?1 % 60000) / 60000.0)
              WHEN -1 THEN done_minute_messages + done_minute_before
              ELSE 0 END AS TEXT) AS done_last_minute
  FROM queue
 ORDER BY queue_id;

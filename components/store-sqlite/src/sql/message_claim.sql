-- Leases the messages of a queue that are due, oldest first.
--
-- ?1 queue_id  ?2 limit  ?3 now
--
-- No row: nothing is due, the queue is unknown or paused, or as many are under lease as may be. A queue that keeps an order
-- gives out the oldest unfinished message of each subject only. Rows come in no particular order.
UPDATE message
   SET state = 'leased',
       attempts = attempts + 1,
       receipt = lower(hex(randomblob(16))),
       leased_at_ms = ?3,
       lease_until_ms = ?3 + (SELECT lease_ms FROM queue WHERE queue_id = ?1)
 WHERE message_seq IN (
   SELECT due.message_seq
     FROM queue CROSS JOIN message AS due
       ON due.queue_id = queue.queue_id AND due.state = 'ready' AND due.available_at_ms <= ?3
    WHERE queue.queue_id = ?1
      AND queue.paused = 0
      AND (queue.ordered = 0
           OR NOT EXISTS (SELECT 1 FROM message AS older
                           WHERE older.queue_id = due.queue_id AND older.subject = due.subject
                             AND older.message_seq < due.message_seq AND older.state IN ('ready', 'leased')))
    ORDER BY due.available_at_ms, due.message_seq
    LIMIT max(0, min(?2, coalesce((SELECT in_flight_max FROM queue WHERE queue_id = ?1), 0)
                         - (SELECT count(*) FROM message WHERE queue_id = ?1 AND state = 'leased'))))
RETURNING message_seq, message_id, receipt, attempts, lease_until_ms, event_id, subject,
          (SELECT source FROM event WHERE event.event_id = message.event_id),
          (SELECT type FROM event WHERE event.event_id = message.event_id),
          (SELECT time_ms FROM event WHERE event.event_id = message.event_id),
          (SELECT data FROM event WHERE event.event_id = message.event_id),
          (SELECT traceparent FROM event WHERE event.event_id = message.event_id);

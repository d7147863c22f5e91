-- Reads the queues that have work now: what message_claim.sql would find, in-flight limits aside.
--
-- $1 now
SELECT queue_id
  FROM queue
 WHERE NOT paused
   AND EXISTS (
     SELECT 1 FROM message AS due
      WHERE due.queue_id = queue.queue_id AND due.state = 'ready' AND due.available_at_ms <= $1::bigint
        AND (NOT queue.ordered
             OR NOT EXISTS (SELECT 1 FROM message AS older
                             WHERE older.queue_id = due.queue_id AND older.subject = due.subject
                               AND older.message_seq < due.message_seq AND older.state IN ('ready', 'leased'))))
 ORDER BY queue_id;

-- Removes finished messages whose retention is over; their attempts go with them.
--
-- $1 now  $2 limit
--
-- One row for each. Several sweeps at once share them.
DELETE FROM message
 WHERE message_seq = ANY (ARRAY(
   SELECT old.message_seq
     FROM queue CROSS JOIN LATERAL (
       SELECT message_seq FROM message
        WHERE message.queue_id = queue.queue_id AND state IN ('done', 'purged')
          AND settled_at_ms <= $1::bigint - queue.retention_ms
        ORDER BY settled_at_ms
        LIMIT $2::bigint
          FOR UPDATE SKIP LOCKED) AS old
    LIMIT $2::bigint))
RETURNING message_id;

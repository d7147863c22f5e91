-- Removes finished messages whose retention is over; their attempts go with them.
--
-- ?1 now  ?2 limit
--
-- One row for each.
DELETE FROM message
 WHERE message_seq IN (SELECT old.message_seq
                         FROM queue CROSS JOIN message AS old
                           ON old.queue_id = queue.queue_id AND old.state IN ('done', 'purged')
                          AND old.settled_at_ms <= ?1 - queue.retention_ms
                        LIMIT ?2)
RETURNING message_id;

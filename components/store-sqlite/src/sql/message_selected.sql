-- Counts the dead letters that operation_insert.sql would touch.
--
-- ?1 queue_id  ?2 which dead letters: ids, reason or all  ?3 JSON [message_id]  ?4 their reason  ?5 how many at most
--
-- No row: no such queue.
SELECT (SELECT count(*)
          FROM (SELECT 1 FROM message
                 WHERE message.queue_id = queue.queue_id AND state = 'buried'
                   AND (?2 = 'all'
                        OR ?2 = 'reason' AND reason = ?4
                        OR ?2 = 'ids' AND message_id IN (SELECT value FROM json_each(?3)))
                 LIMIT ?5))
  FROM queue
 WHERE queue_id = ?1;

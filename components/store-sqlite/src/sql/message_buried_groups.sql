-- Counts the dead letters of a queue by the kind of their last failure, most numerous first.
--
-- ?1 queue_id  ?2 limit
--
-- No row: no such queue, or it has none.
SELECT reason, letters, oldest_at_ms, newest_at_ms,
       (SELECT error FROM message
         WHERE message_seq = (SELECT newest.message_seq FROM message AS newest
                               WHERE newest.queue_id = ?1 AND newest.state = 'buried' AND newest.reason = kind.reason
                               ORDER BY newest.settled_at_ms DESC, newest.message_seq DESC
                               LIMIT 1))
  FROM (SELECT reason, count(*) AS letters, min(settled_at_ms) AS oldest_at_ms, max(settled_at_ms) AS newest_at_ms
          FROM message
         WHERE queue_id = ?1 AND state = 'buried'
         GROUP BY reason
         ORDER BY letters DESC, reason
         LIMIT ?2) AS kind
 ORDER BY letters DESC, reason;

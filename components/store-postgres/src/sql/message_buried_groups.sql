-- Counts the dead letters of a queue by the kind of their last failure, most numerous first.
--
-- $1 queue_id  $2 limit
--
-- No row: no such queue. One row of NULLs: it has none.
SELECT kind.reason, kind.letters, kind.oldest_at_ms, kind.newest_at_ms,
       (SELECT newest.error FROM message AS newest
         WHERE newest.queue_id = queue.queue_id AND newest.state = 'buried' AND newest.reason = kind.reason
         ORDER BY newest.settled_at_ms DESC, newest.message_seq DESC
         LIMIT 1)
  FROM queue
  LEFT JOIN LATERAL (
    SELECT reason, count(*) AS letters, min(settled_at_ms) AS oldest_at_ms, max(settled_at_ms) AS newest_at_ms
      FROM message
     WHERE message.queue_id = queue.queue_id AND state = 'buried'
     GROUP BY reason
     ORDER BY letters DESC, reason
     LIMIT $2::bigint) AS kind ON true
 WHERE queue.queue_id = $1::text
 ORDER BY kind.letters DESC, kind.reason;

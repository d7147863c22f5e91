-- Carries out an operator's action: the triggers of operation do what the row says.
--
-- ?1 kind  ?2 queue_id  ?3 which dead letters: none, ids, reason or all  ?4 JSON [message_id]  ?5 their reason
-- ?6 how many at most  ?7 the operator's reason  ?8 operator  ?9 now
--
-- No row: no such queue, nothing was recorded.
WITH target AS MATERIALIZED (
  SELECT queue.queue_id,
         (SELECT json_group_array(message_seq)
            FROM (SELECT message_seq FROM message
                   WHERE message.queue_id = queue.queue_id AND state = 'buried'
                     AND (?3 = 'all'
                          OR ?3 = 'reason' AND reason = ?5
                          OR ?3 = 'ids' AND message_id IN (SELECT value FROM json_each(?4)))
                   ORDER BY message_seq
                   LIMIT ?6)) AS selection
    FROM queue
   WHERE queue.queue_id = ?2)
INSERT INTO operation (kind, queue_id, selection, affected, reason, operator, at_ms)
SELECT ?1, queue_id, selection, json_array_length(selection), ?7, ?8, ?9 FROM target
RETURNING affected;

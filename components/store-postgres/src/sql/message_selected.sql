-- Counts the dead letters that operation_insert.sql would touch.
--
-- $1 queue_id  $2 which dead letters: ids, reason or all  $3 JSON [message_id]  $4 their reason  $5 how many at most
--
-- No row: no such queue.
SELECT CASE $2::text
         WHEN 'all' THEN (SELECT count(*)
           FROM (SELECT FROM message WHERE message.queue_id = queue.queue_id AND state = 'buried'
                  ORDER BY message_seq LIMIT $5::bigint) AS dead)
         WHEN 'reason' THEN (SELECT count(*)
           FROM (SELECT FROM message
                  WHERE message.queue_id = queue.queue_id AND state = 'buried' AND reason = $4::text
                  ORDER BY message_seq LIMIT $5::bigint) AS dead)
         WHEN 'ids' THEN (SELECT count(*)
           FROM (SELECT FROM message
                  WHERE message.queue_id = queue.queue_id AND state = 'buried'
                    AND message_id = ANY (ARRAY(SELECT jsonb_array_elements_text($3::text::jsonb)))
                  LIMIT $5::bigint) AS dead)
         ELSE 0 END
  FROM queue
 WHERE queue_id = $1::text;

-- Reads the dead letters of a queue, newest first.
--
-- $1 queue_id  $2 the message before which the page begins, the largest integer for the first  $3 limit
-- $4 attempts of each at most, the newest
--
-- No row: no such queue. One row of NULLs: the list ends here. The columns are those of message_get.sql.
SELECT message.message_id, message.queue_id, message.state, message.attempts, message.available_at_ms, message.redrives,
       message.created_at_ms, message.settled_at_ms, message.reason, message.error, message.message_seq,
       event.event_id, event.source, event.type, event.subject, event.time_ms, event.data::text, event.traceparent,
       CASE WHEN message.message_id IS NOT NULL THEN (
         SELECT coalesce(jsonb_agg(jsonb_build_object('started_at', started_at_ms, 'ended_at', ended_at_ms, 'outcome', outcome,
                                                      'reason', reason, 'error', error) ORDER BY message_attempt_id),
                         '[]')::text
           FROM (SELECT * FROM message_attempt
                  WHERE message_attempt.message_seq = message.message_seq
                  ORDER BY message_attempt_id DESC
                  LIMIT $4::bigint) AS newest) END AS attempts_json
  FROM queue
  LEFT JOIN LATERAL (
    SELECT * FROM message
     WHERE message.queue_id = queue.queue_id AND message.state = 'buried' AND message.message_seq < $2::bigint
     ORDER BY message.message_seq DESC
     LIMIT $3::bigint) AS message ON true
  LEFT JOIN event ON event.event_id = message.event_id
 WHERE queue.queue_id = $1::text
 ORDER BY message.message_seq DESC;

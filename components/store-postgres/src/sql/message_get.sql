-- Reads a message with its event and its attempts, oldest first.
--
-- $1 message_id  $2 attempts at most, the newest
--
-- No row: no such message.
SELECT message.message_id, message.queue_id, message.state, message.attempts, message.available_at_ms, message.redrives,
       message.created_at_ms, message.settled_at_ms, message.reason, message.error, message.message_seq,
       event.event_id, event.source, event.type, event.subject, event.time_ms, event.data::text, event.traceparent,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('started_at', started_at_ms, 'ended_at', ended_at_ms, 'outcome', outcome,
                                                   'reason', reason, 'error', error) ORDER BY message_attempt_id),
                       '[]')::text
          FROM (SELECT * FROM message_attempt
                 WHERE message_attempt.message_seq = message.message_seq
                 ORDER BY message_attempt_id DESC
                 LIMIT $2::bigint) AS newest) AS attempts_json
  FROM message JOIN event ON event.event_id = message.event_id
 WHERE message.message_id = $1::text;

-- Reads the dead letters of a queue whose last failure is of one kind, newest first.
--
-- ?1 queue_id  ?2 the message before which the page begins, the largest integer for the first  ?3 limit
-- ?4 attempts of each at most, the newest  ?5 reason
--
-- No row: no such queue, or the list ends here. The columns are those of message_get.sql.
SELECT message.message_id, message.queue_id, message.state, message.attempts, message.available_at_ms, message.redrives,
       message.created_at_ms, message.settled_at_ms, message.reason, message.error, message.message_seq,
       event.event_id, event.source, event.type, event.subject, event.time_ms, event.data, event.traceparent,
       (SELECT json_group_array(json_object('started_at', started_at_ms, 'ended_at', ended_at_ms, 'outcome', outcome,
                                            'reason', reason, 'error', error) ORDER BY message_attempt_id)
          FROM (SELECT * FROM message_attempt
                 WHERE message_attempt.message_seq = message.message_seq
                 ORDER BY message_attempt_id DESC
                 LIMIT ?4)) AS attempts_json
  FROM message JOIN event ON event.event_id = message.event_id
 WHERE message.queue_id = ?1 AND message.state = 'buried' AND message.reason = ?5 AND message.message_seq < ?2
 ORDER BY message.message_seq DESC
 LIMIT ?3;

-- Removes old events that no message carries.
--
-- $1 the moment at or before which an event is old  $2 limit
--
-- OFFSET 0: the message is looked up event by event. As a join, it may be planned as a scan of all messages.
DELETE FROM event
 WHERE event_id = ANY (ARRAY(SELECT event_id FROM event AS old
                              WHERE old.time_ms <= $1::bigint
                                AND NOT EXISTS (SELECT 1 FROM message WHERE message.event_id = old.event_id OFFSET 0)
                              ORDER BY old.time_ms
                              LIMIT $2::bigint
                                FOR UPDATE SKIP LOCKED));

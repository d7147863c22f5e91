-- Removes old events that no message carries.
--
-- ?1 the moment at or before which an event is old  ?2 limit
DELETE FROM event
 WHERE event_id IN (SELECT event_id FROM event AS old
                     WHERE old.time_ms <= ?1
                       AND NOT EXISTS (SELECT 1 FROM message WHERE message.event_id = old.event_id)
                     ORDER BY old.time_ms
                     LIMIT ?2);

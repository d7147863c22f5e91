-- Makes a notice due for each channel of each incident that grew since the last one.
--
-- ?1 now  ?2 the moment at or before which the last notice was told  ?3 limit
--
-- One row for each. A notice that was given up (its message is a dead letter) counts as told when it became due; one that is
-- still on its way holds up the next. CROSS JOIN: from the few incidents that go on to the latest notice of each, never the other
-- way round, through all there ever were.
INSERT INTO incident_notice (incident_id, channel, occasion, at_ms, occurrences)
SELECT incident.incident_id, latest.channel, 'grew', ?1, incident.occurrences
  FROM incident
 CROSS JOIN (VALUES ('chat'), ('mail')) AS channel
 CROSS JOIN incident_notice AS latest
    ON latest.incident_notice_id = (SELECT max(incident_notice_id) FROM incident_notice AS own
                                     WHERE own.incident_id = incident.incident_id AND own.channel = column1)
 WHERE incident.cleared_at_ms IS NULL
   AND incident.occurrences > max(latest.occurrences, latest.occurrences_told)
   AND coalesce(latest.told_at_ms, latest.at_ms) <= ?2
   AND (latest.told_at_ms IS NOT NULL
        OR NOT EXISTS (SELECT 1 FROM message
                        WHERE message.queue_id = 'alerts'
                          AND message.subject = latest.channel || ':' || latest.incident_id
                          AND message.state IN ('ready', 'leased')))
 LIMIT ?3
RETURNING 1;

-- Notes that people were told of so many occurrences.
--
-- $1 incident_notice_id  $2 occurrences  $3 now
--
-- Changes nothing where it was noted before.
UPDATE incident_notice SET told_at_ms = $3::bigint, occurrences_told = $2::bigint
 WHERE incident_notice_id = $1::bigint AND told_at_ms IS NULL;

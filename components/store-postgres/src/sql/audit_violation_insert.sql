-- Notes what an audit found; the trigger of the event opens the incident or adds to it.
--
-- $1 how many violations  $2 the first of them in words  $3 now
INSERT INTO event (type, subject, time_ms, data)
VALUES ('audit.violation', 'audit', $3::bigint, jsonb_build_object('violations', $1::bigint, 'words', $2::text));

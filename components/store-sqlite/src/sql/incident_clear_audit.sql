-- Clears the incident of an audit that finds nothing any more.
--
-- ?1 now
UPDATE incident SET cleared_at_ms = ?1 WHERE kind = 'audit.violation' AND cleared_at_ms IS NULL;

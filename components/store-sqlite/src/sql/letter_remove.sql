-- Removes old letters.
--
-- ?1 the moment at or before which a letter is old  ?2 limit
DELETE FROM letter
 WHERE letter_id IN (SELECT letter_id FROM letter WHERE entrusted_at_ms <= ?1 ORDER BY entrusted_at_ms LIMIT ?2);

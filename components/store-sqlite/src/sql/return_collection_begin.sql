-- Begins a collection; the trigger publishes the message that carries it out.
--
-- ?1 every_ms  ?2 now
--
-- No row: one is not over, or the last one began too lately. One that began in the future did so by a clock that was ahead.
INSERT INTO return_collection (began_at_ms)
SELECT ?2
 WHERE NOT EXISTS (SELECT 1 FROM return_collection WHERE progress = 'running')
   AND NOT EXISTS (SELECT 1 FROM return_collection WHERE began_at_ms > ?2 - ?1 AND began_at_ms <= ?2)
ON CONFLICT (progress) WHERE progress = 'running' DO NOTHING
RETURNING return_collection_id;

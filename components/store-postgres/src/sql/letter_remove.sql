-- Removes old letters.
--
-- $1 the moment at or before which a letter is old  $2 limit
--
-- ARRAY: chosen once. SKIP LOCKED: of two ticks at once, and beside a worker that has the letter in hand, nobody waits.
DELETE FROM letter
 WHERE letter_id = ANY (ARRAY(SELECT letter_id FROM letter
                               WHERE entrusted_at_ms <= $1::bigint
                               ORDER BY entrusted_at_ms
                               LIMIT $2::bigint
                                 FOR UPDATE SKIP LOCKED));

-- Removes records that were on no list for a while.
--
-- ?1 the moment at or before which a record was last on one  ?2 limit
--
-- One row for each.
DELETE FROM return_reject
 WHERE return_reject_seq IN (SELECT return_reject_seq FROM return_reject AS old
                              WHERE old.last_at_ms <= ?1
                              ORDER BY old.last_at_ms
                              LIMIT ?2)
RETURNING 1;

-- Removes records that were on no list for a while.
--
-- $1 the moment at or before which a record was last on one  $2 limit
--
-- One row for each. A record that a list is counting at this moment is left: it is on one.
DELETE FROM return_reject
 WHERE return_reject_seq = ANY (ARRAY(SELECT old.return_reject_seq FROM return_reject AS old
                                       WHERE old.last_at_ms <= $1::bigint
                                       ORDER BY old.last_at_ms
                                       LIMIT $2::bigint
                                         FOR UPDATE SKIP LOCKED))
RETURNING 1::bigint;

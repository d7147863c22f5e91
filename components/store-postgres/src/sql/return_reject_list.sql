-- Reads records of the list that were set aside, newest first.
--
-- $1 the record before which the page begins, the largest integer for the first  $2 limit
--
-- No row: the list ends here.
SELECT reason, record, first_at_ms, last_at_ms, times, return_reject_seq
  FROM return_reject
 WHERE return_reject_seq < $1::bigint
 ORDER BY return_reject_seq DESC
 LIMIT $2::bigint;

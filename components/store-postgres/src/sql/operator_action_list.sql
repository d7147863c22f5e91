-- Reads what operators did, newest first.
--
-- $1 the action before which the page begins, the largest integer for the first  $2 limit
--
-- No row: the list ends here.
SELECT kind, subject, detail::text, reason, operator, at_ms, operator_action_id
  FROM operator_action
 WHERE operator_action_id < $1::bigint
 ORDER BY operator_action_id DESC
 LIMIT $2::bigint;

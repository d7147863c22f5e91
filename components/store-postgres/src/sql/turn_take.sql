-- Takes the turn of a job.
--
-- $1 job  $2 how often it runs, ms  $3 now
--
-- No row: it is not due. The condition is looked at on the locked row, so one caller gets each turn.
INSERT INTO turn (job, taken_at_ms) VALUES ($1::text, $3::bigint)
ON CONFLICT (job) DO UPDATE SET taken_at_ms = excluded.taken_at_ms, taken = turn.taken + 1
 WHERE turn.taken_at_ms + $2::bigint <= excluded.taken_at_ms
RETURNING 1::bigint;

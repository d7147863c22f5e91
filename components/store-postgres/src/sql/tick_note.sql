-- Notes that a tick began, whatever the clock says of the one before.
--
-- $1 now
INSERT INTO turn (job, taken_at_ms) VALUES ('tick', $1::bigint)
ON CONFLICT (job) DO UPDATE SET taken_at_ms = excluded.taken_at_ms, taken = turn.taken + 1;

-- Says whether a queue exists.
--
-- $1 queue_id
--
-- No row: it does not.
SELECT 1::bigint FROM queue WHERE queue_id = $1::text;

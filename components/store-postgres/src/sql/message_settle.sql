-- Ends a batch of attempts. A settlement whose receipt is no longer the message's changes nothing.
--
-- $1 JSON [{message_id, receipt, verdict, until, reason, error}]  $2 now
--
-- One row for each message that was settled. The triggers keep the attempt and count what is done.
SELECT message_id FROM restock_message_settle($1::text::jsonb, $2::bigint) AS message_id;

-- Ends a batch of attempts. A settlement whose receipt is no longer the message's changes nothing.
--
-- ?1 JSON [{message_id, receipt, verdict, until, reason, error}]  ?2 now
--
-- One row for each message that was settled. The triggers keep the attempt and count what is done.
UPDATE message
   SET state = CASE word.verdict WHEN 'done' THEN 'done' WHEN 'bury' THEN 'buried' ELSE 'ready' END,
       attempts = attempts - (word.verdict = 'postpone'),
       available_at_ms = coalesce(word.until, available_at_ms),
       outcome = word.verdict,
       reason = word.reason,
       error = word.error,
       settled_at_ms = ?2,
       receipt = NULL,
       leased_at_ms = NULL,
       lease_until_ms = NULL
  FROM (SELECT value ->> 'message_id' AS message_id, value ->> 'receipt' AS receipt, value ->> 'verdict' AS verdict,
               value ->> 'until' AS until, value ->> 'reason' AS reason, value ->> 'error' AS error
          FROM json_each(?1)) AS word
 WHERE message.message_id = word.message_id AND message.state = 'leased' AND message.receipt = word.receipt
RETURNING message_id;

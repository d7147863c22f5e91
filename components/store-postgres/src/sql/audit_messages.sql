-- Finds messages that could not have come to be where they are: under lease without a receipt, or dead without an attempt.
--
-- $1 limit. One row for each violation, in words.
SELECT format('message %s: is %s and has %s', message_id, state,
              CASE state WHEN 'leased' THEN 'no receipt' ELSE 'no attempt on record' END)
  FROM message
 WHERE state = 'leased' AND receipt IS NULL
    OR state IN ('done', 'buried', 'purged')
   AND NOT EXISTS (SELECT 1 FROM message_attempt WHERE message_attempt.message_seq = message.message_seq)
 LIMIT $1::bigint;

-- Finds returns that are on their way with no message that carries their next step. Those that an operator gave up have none.
--
-- $1 limit. One row for each violation, in words.
--
-- Each half looks at one index: of messages that are unfinished, and of dead letters.
SELECT format('return %s: is %s and no message carries it', sales_return_id, status)
  FROM sales_return
 WHERE status IN ('collected', 'delivered') AND given_up_at_ms IS NULL
   AND NOT EXISTS (SELECT 1 FROM message JOIN event ON event.event_id = message.event_id
                    WHERE message.queue_id = 'returns' AND message.subject = sales_return_id
                      AND message.state IN ('ready', 'leased') AND event.type = 'return.' || status)
   AND NOT EXISTS (SELECT 1 FROM message JOIN event ON event.event_id = message.event_id
                    WHERE message.queue_id = 'returns' AND message.subject = sales_return_id
                      AND message.state = 'buried' AND event.type = 'return.' || status)
 LIMIT $1::bigint;

-- Ends the attempts of workers that did not come back in time.
--
-- ?1 now  ?2 attempts_max of queues that set none  ?3 limit
--
-- One row for each message that became ready again, or was buried because it has no attempts left.
UPDATE message
   SET state = CASE WHEN attempts >= coalesce((SELECT attempts_max FROM queue WHERE queue_id = message.queue_id), ?2)
                    THEN 'buried' ELSE 'ready' END,
       available_at_ms = ?1,
       outcome = 'lease-expired',
       reason = CASE WHEN attempts >= coalesce((SELECT attempts_max FROM queue WHERE queue_id = message.queue_id), ?2)
                     THEN 'attempts-exhausted' ELSE 'lease-expired' END,
       error = 'the worker did not report back before its lease ran out',
       settled_at_ms = ?1,
       receipt = NULL,
       leased_at_ms = NULL,
       lease_until_ms = NULL
 WHERE message_seq IN (SELECT late.message_seq
                         FROM queue CROSS JOIN message AS late
                           ON late.queue_id = queue.queue_id AND late.state = 'leased' AND late.lease_until_ms <= ?1
                        LIMIT ?3)
RETURNING state;

-- Notes what the partner said of a shipment; the triggers keep it, and tell people or publish the report.
--
-- ?1 sales_return_id  ?2 JSON [status], in the partner's order  ?3 delivered, 0 or 1  ?4 now
--
-- Changes nothing where there is no such return, or it is past this step. Nor where the message under lease was taken before
-- the return got another number: then the answer may be about the old one.
UPDATE sales_return
   SET heard = ?2,
       trackings = trackings + 1,
       tracked_at_ms = ?4,
       unknown_since_ms = CASE WHEN ?2 = '[]' THEN coalesce(unknown_since_ms, ?4) END,
       status = CASE WHEN ?3 THEN 'delivered' ELSE status END,
       delivered_at_ms = CASE WHEN ?3 THEN ?4 END,
       given_up_at_ms = CASE WHEN NOT ?3 THEN given_up_at_ms END
 WHERE sales_return_id = ?1 AND status = 'collected'
   AND (renumbered_at_ms IS NULL
        OR NOT EXISTS (SELECT 1 FROM message
                        WHERE queue_id = 'returns' AND subject = ?1 AND state = 'leased' AND state IN ('ready', 'leased')
                          AND leased_at_ms <= renumbered_at_ms));

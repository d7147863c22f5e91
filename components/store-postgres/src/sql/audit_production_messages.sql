-- Finds requests that wait for a call to the factory with no message that will make it.
--
-- $1 limit. One row for each violation, in words.
SELECT format('production %s: is %s and no message carries it', production_id, status)
  FROM production
 WHERE status IN ('planned', 'overdue', 'failed')
   AND NOT EXISTS (
     SELECT 1 FROM message JOIN event ON event.event_id = message.event_id
      WHERE message.queue_id = 'replenishment' AND message.subject = production.sku
        AND message.state IN ('ready', 'leased') AND event.data ->> 'production_id' = production.production_id)
   AND NOT EXISTS (
     SELECT 1 FROM message JOIN event ON event.event_id = message.event_id
      WHERE message.queue_id = 'replenishment' AND message.subject = production.sku
        AND message.state = 'buried' AND event.data ->> 'production_id' = production.production_id)
 LIMIT $1::bigint;

-- Finds requests that wait for a call to the factory with no message that will make it.
--
-- ?1 limit. One row for each violation, in words.
SELECT printf('production %s: is %s and no message carries it', production_id, status)
  FROM production
 WHERE status IN ('planned', 'overdue', 'failed')
   AND production_id NOT IN (
     SELECT event.data ->> 'production_id'
       FROM message JOIN event ON event.event_id = message.event_id
      WHERE message.queue_id = 'replenishment' AND message.state IN ('ready', 'leased', 'buried')
        AND event.data ->> 'production_id' IS NOT NULL)
 LIMIT ?1;

-- Ends a collection and counts what happened since the one before it finished; the trigger tells of failures.
--
-- ?1 return_collection_id  ?2 listed  ?3 now
--
-- No row: no such collection, or it finished before. The columns are those of return_collection_get.sql.
UPDATE return_collection
   SET progress = 'finished',
       finished_at_ms = ?3,
       listed = ?2,
       fresh = counted.fresh,
       rejected = counted.rejected,
       delivered = counted.delivered,
       reported = counted.reported,
       failed = counted.rejected + counted.dead
  FROM (SELECT (SELECT count(*) FROM sales_return WHERE sales_return.return_collection_id = ?1) AS fresh,
               (SELECT count(*) FROM return_reject WHERE return_reject.return_collection_id = ?1) AS rejected,
               (SELECT count(*) FROM sales_return WHERE delivered_at_ms > since_ms AND delivered_at_ms <= ?3) AS delivered,
               (SELECT count(*) FROM sales_return WHERE reported_at_ms > since_ms AND reported_at_ms <= ?3) AS reported,
               (SELECT count(*) FROM message
                 WHERE queue_id = 'returns' AND state = 'buried' AND settled_at_ms > since_ms AND settled_at_ms <= ?3) AS dead
          FROM (SELECT coalesce(max(finished_at_ms), -1) AS since_ms
                  FROM return_collection WHERE finished_at_ms IS NOT NULL)) AS counted
 WHERE return_collection_id = ?1 AND progress <> 'finished'
RETURNING return_collection_id, progress, began_at_ms, finished_at_ms, listed, fresh, rejected, delivered, reported, failed,
          return_collection_seq;

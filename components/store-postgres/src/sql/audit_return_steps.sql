-- Finds returns whose moments and goods do not tell the same story as their status.
--
-- $1 limit. One row for each violation, in words.
SELECT format('return %s: is %s with goods %s, and its moments say otherwise', sales_return_id, status, goods)
  FROM sales_return
 WHERE (delivered_at_ms IS NULL) <> (status = 'collected')
    OR (reported_at_ms IS NULL) <> (status <> 'reported')
    OR (goods = 'pending') <> (status <> 'reported')
    OR (settled_at_ms IS NULL) <> (goods NOT IN ('received', 'discarded'))
    OR (sku IS NULL OR quantity IS NULL) <> (goods <> 'received')
    OR unknown_since_ms IS NOT NULL AND status <> 'collected'
    OR (trackings = 0) <> (tracked_at_ms IS NULL)
 LIMIT $1::bigint;

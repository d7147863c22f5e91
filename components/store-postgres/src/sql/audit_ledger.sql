-- Finds movements whose level is not the level before plus the delta, or is below zero.
--
-- $1 limit. One row for each violation, in words.
SELECT format('%s: movement %s ends at %s, the deltas up to it sum to %s', sku, stock_movement_id, on_hand_after, summed)
  FROM (SELECT sku, stock_movement_id, on_hand_after,
               sum(delta) OVER (PARTITION BY sku ORDER BY stock_movement_id) AS summed
          FROM stock_movement) AS ledger
 WHERE on_hand_after <> summed OR summed < 0
 LIMIT $1::bigint;

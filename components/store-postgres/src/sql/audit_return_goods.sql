-- Finds returns whose goods were booked not exactly once, or not as they came, and movements of no return.
--
-- $1 limit. One row for each violation, in words.
SELECT format('return %s: %s units of %s came back, the ledger has %s in %s movements', sales_return_id, sum(came), sku,
              sum(booked), sum(movements))
  FROM (SELECT sales_return_id, sku, quantity AS came, 0 AS booked, 0 AS movements FROM sales_return WHERE goods = 'received'
        UNION ALL
        SELECT sales_return_id, sku, 0, delta, 1 FROM stock_movement
         WHERE kind = 'returned' OR sales_return_id IS NOT NULL) AS both_sides
 GROUP BY sales_return_id, sku
HAVING sum(came) <> sum(booked) OR sum(movements) <> 1
 LIMIT $1::bigint;

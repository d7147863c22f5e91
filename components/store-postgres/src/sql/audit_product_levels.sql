-- Finds products whose levels are not what the rows behind them sum to.
--
-- $1 limit. One row for each violation, in words.
SELECT format('%s: %s is %s, the rows say %s', sku, level, held, summed)
  FROM (SELECT product.sku, 'on_hand' AS level, on_hand AS held,
               (SELECT coalesce(sum(delta), 0) FROM stock_movement WHERE stock_movement.sku = product.sku) AS summed
          FROM product
        UNION ALL
        SELECT product.sku, 'backordered', backordered,
               (SELECT coalesce(sum(quantity), 0) FROM sales_order_line
                 WHERE sales_order_line.sku = product.sku AND state = 'waiting')
          FROM product
        UNION ALL
        SELECT product.sku, 'on_order', on_order,
               (SELECT coalesce(sum(quantity), 0) FROM production
                 WHERE production.sku = product.sku AND status IN ('planned', 'requested', 'overdue'))
          FROM product) AS levels
 WHERE held <> summed
 LIMIT $1::bigint;

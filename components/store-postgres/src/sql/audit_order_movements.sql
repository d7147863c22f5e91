-- Finds orders that took more or less from the shelf than they say: an accepted one takes its lines, any other nothing.
--
-- $1 limit. One row for each violation, in words.
SELECT format('order %s: %s units of %s are accepted, the ledger sold %s', sales_order_id, sum(accepted), sku, sum(sold))
  FROM (SELECT sales_order_id, sku, CASE status WHEN 'accepted' THEN quantity ELSE 0 END AS accepted, 0 AS sold
          FROM sales_order_line JOIN sales_order USING (sequence)
        UNION ALL
        SELECT sales_order_id, sku, 0, -delta FROM stock_movement WHERE kind = 'sold') AS sides
 GROUP BY sales_order_id, sku
HAVING sum(accepted) <> sum(sold)
 LIMIT $1::bigint;

-- Finds lines that are not in the state of their order.
--
-- $1 limit. One row for each violation, in words.
SELECT format('order %s: is %s, its line of %s is %s', sales_order_id, status, sku, state)
  FROM sales_order_line JOIN sales_order USING (sequence)
 WHERE state <> CASE status WHEN 'accepted' THEN 'sold' WHEN 'backordered' THEN 'waiting' ELSE 'rejected' END
 LIMIT $1::bigint;

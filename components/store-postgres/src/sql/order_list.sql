-- Reads orders, newest first.
--
-- $1 the order before which the page begins, the largest integer for the first  $2 limit
--
-- No row: the list ends here. The columns are those of order_get.sql.
SELECT sales_order_id, request_hash, customer_id, customer_email, customer_name, if_short, placed_as, status, items::text,
       short::text, total_amount, currency, placed_at_ms, filled_at_ms, ring, sequence, traceparent
  FROM sales_order
 WHERE sequence < $1::bigint
 ORDER BY sequence DESC
 LIMIT $2::bigint;

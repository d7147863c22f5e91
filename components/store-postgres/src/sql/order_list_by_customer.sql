-- Reads the orders of a customer, newest first.
--
-- $1 the order before which the page begins, the largest integer for the first  $2 limit  $3 customer_id
--
-- No row: the list ends here. The columns are those of order_get.sql.
--
-- In ranges, where an equation would do: with one, walking the table backwards looks as good, and it may be long until a row fits.
SELECT sales_order_id, request_hash, customer_id, customer_email, customer_name, if_short, placed_as, status, items::text,
       short::text, total_amount, currency, placed_at_ms, filled_at_ms, ring, sequence, traceparent
  FROM sales_order
 WHERE (customer_id, sequence) < ($3::text, $1::bigint) AND customer_id >= $3::text
 ORDER BY customer_id DESC, sequence DESC
 LIMIT $2::bigint;

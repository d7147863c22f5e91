-- Reads an order.
--
-- $1 sales_order_id
--
-- No row: no such order.
SELECT sales_order_id, request_hash, customer_id, customer_email, customer_name, if_short, placed_as, status, items::text,
       short::text, total_amount, currency, placed_at_ms, filled_at_ms, ring, sequence, traceparent
  FROM sales_order
 WHERE sales_order_id = $1::text;

-- Reads the order that a client's key was used for.
--
-- ?1 idempotency_key
--
-- No row: the key is free. The columns are those of order_place.sql.
SELECT sales_order_id, request_hash, customer_id, customer_email, customer_name, if_short, placed_as, status, items,
       short, total_amount, currency, placed_at_ms, filled_at_ms, ring, sequence, traceparent
  FROM sales_order
 WHERE idempotency_key = ?1;

-- Reads a customer.
--
-- $1 customer_id
--
-- No row: no bulk purchase of theirs came here.
SELECT customer_id, email, name, kind, units_bought, vip_since_ms, announced_at_ms, vip_order_id
  FROM customer
 WHERE customer_id = $1::text;

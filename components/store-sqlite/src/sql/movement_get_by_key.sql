-- Reads the adjustment that a client's key was used for.
--
-- ?1 idempotency_key
--
-- No row: the key is free. After the SKU, the columns are those of movement_list.sql.
SELECT sku, stock_movement_id, kind, delta, on_hand_after, sales_order_id, production_id, sales_return_id, reason, at_ms
  FROM stock_movement
 WHERE idempotency_key = ?1;

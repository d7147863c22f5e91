-- Corrects the stock by hand.
--
-- ?1 sku  ?2 delta  ?3 reason  ?4 operator  ?5 idempotency_key or NULL  ?6 now
--
-- No row: no such product, less on hand than would be taken away, or the key was used before; nothing was changed.
-- The columns are those of movement_list.sql.
INSERT INTO stock_movement (sku, kind, delta, on_hand_after, reason, operator, idempotency_key, at_ms)
SELECT sku, 'adjusted', ?2, on_hand + ?2, ?3, ?4, ?5, ?6
  FROM product
 WHERE sku = ?1 AND on_hand + ?2 >= 0
ON CONFLICT (idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
RETURNING stock_movement_id, kind, delta, on_hand_after, sales_order_id, production_id, sales_return_id, reason,
          at_ms;

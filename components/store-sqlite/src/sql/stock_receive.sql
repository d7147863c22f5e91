-- Books delivered goods that no request is open for.
--
-- ?1 sku  ?2 quantity  ?3 at
--
-- No row: no such product, or a request is open and production_receive_open.sql is the door to take.
INSERT INTO stock_movement (sku, kind, delta, on_hand_after, at_ms)
SELECT sku, 'received', ?2, on_hand + ?2, ?3
  FROM product
 WHERE sku = ?1
   AND NOT EXISTS (SELECT 1 FROM production
                    WHERE production.sku = product.sku AND status IN ('planned', 'requested', 'overdue', 'failed'))
RETURNING sku;

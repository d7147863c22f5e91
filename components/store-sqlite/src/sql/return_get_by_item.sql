-- Reads the return of an item.
--
-- ?1 order_number  ?2 order_item_number
--
-- No row: no such return. The columns are those of return_get.sql.
SELECT sales_return_id, order_number, order_item_number, shipment_number, partner_ref, status, goods, heard ->> '$[#-1]',
       sku, quantity, collected_at_ms, tracked_at_ms, trackings, unknown_since_ms, delivered_at_ms, reported_at_ms,
       settled_at_ms, operator, reason, sales_return_seq
  FROM sales_return
 WHERE order_number = ?1 AND order_item_number = ?2;

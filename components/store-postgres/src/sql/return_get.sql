-- Reads a return.
--
-- $1 sales_return_id
--
-- No row: no such return.
SELECT sales_return_id, order_number, order_item_number, shipment_number, partner_ref, status, goods, heard ->> -1,
       sku, quantity, collected_at_ms, tracked_at_ms, trackings, unknown_since_ms, delivered_at_ms, reported_at_ms,
       settled_at_ms, operator, reason, sales_return_seq
  FROM sales_return
 WHERE sales_return_id = $1::text;

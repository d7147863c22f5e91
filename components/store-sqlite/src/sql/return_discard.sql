-- Decides that the goods of a return never go back on the shelf.
--
-- ?1 sales_return_id  ?2 reason  ?3 operator  ?4 now
--
-- No row: no such return, it is not reported yet, or it was decided before. The columns are those of return_get.sql.
UPDATE sales_return
   SET goods = 'discarded', settled_at_ms = ?4, reason = ?2, operator = ?3
 WHERE sales_return_id = ?1 AND goods IN ('waiting', 'left', 'not-ours')
RETURNING sales_return_id, order_number, order_item_number, shipment_number, partner_ref, status, goods, heard ->> '$[#-1]',
          sku, quantity, collected_at_ms, tracked_at_ms, trackings, unknown_since_ms, delivered_at_ms, reported_at_ms,
          settled_at_ms, operator, reason, sales_return_seq;

-- Puts the goods of a return on the shelf, once; the trigger books them.
--
-- ?1 sales_return_id  ?2 sku or NULL: the order's  ?3 quantity or NULL: what is left of the order's  ?4 reason  ?5 operator
-- ?6 now
--
-- No row: return_settling.sql says why. The columns are those of return_get.sql.
UPDATE sales_return
   SET goods = 'received', sku = brought.sku, quantity = brought.quantity, settled_at_ms = ?6, reason = ?4, operator = ?5
  FROM (SELECT coalesce(?2, item.sku) AS sku, coalesce(?3, item.quantity) AS quantity, item.quantity AS at_most
          FROM (SELECT 1)
          LEFT JOIN (SELECT sku, quantity FROM return_item
                      WHERE sales_return_seq = (SELECT sales_return_seq FROM sales_return WHERE sales_return_id = ?1)
                        AND CASE WHEN ?2 IS NULL THEN return_item.quantity > 0 ELSE return_item.sku = ?2 END
                      ORDER BY rank
                      LIMIT 1) AS item) AS brought
 WHERE sales_return_id = ?1 AND goods IN ('waiting', 'left', 'not-ours')
   AND brought.quantity > 0 AND brought.quantity <= coalesce(brought.at_most, brought.quantity)
   AND EXISTS (SELECT 1 FROM product WHERE product.sku = brought.sku)
RETURNING sales_return_id, order_number, order_item_number, shipment_number, partner_ref, status, goods, heard ->> '$[#-1]',
          sku, quantity, collected_at_ms, tracked_at_ms, trackings, unknown_since_ms, delivered_at_ms, reported_at_ms,
          settled_at_ms, operator, reason, sales_return_seq;

-- Notes that the partner took a report, and does with the goods what the shop does with them; the trigger books them.
--
-- ?1 sales_return_id  ?2 to_stock: on, off or ask  ?3 now
--
-- No row: no such return, or it is not delivered or was reported before.
UPDATE sales_return
   SET status = 'reported',
       reported_at_ms = ?3,
       to_stock = ?2,
       goods = CASE WHEN ?2 = 'off' THEN 'left' WHEN item.sku IS NULL THEN 'not-ours' WHEN ?2 = 'on' THEN 'received'
                    ELSE 'waiting' END,
       sku = CASE WHEN ?2 = 'on' THEN item.sku END,
       quantity = CASE WHEN ?2 = 'on' THEN item.quantity END,
       settled_at_ms = CASE WHEN ?2 = 'on' AND item.sku IS NOT NULL THEN ?3 END
  FROM (SELECT 1)
  LEFT JOIN (SELECT sku, quantity FROM return_item
              WHERE sales_return_seq = (SELECT sales_return_seq FROM sales_return WHERE sales_return_id = ?1) AND quantity > 0
              ORDER BY rank
              LIMIT 1) AS item
 WHERE sales_return_id = ?1 AND status = 'delivered'
RETURNING goods = 'received';

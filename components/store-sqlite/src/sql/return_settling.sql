-- Reads what receiving a return would bring, as far as its order knows.
--
-- ?1 sales_return_id  ?2 sku or NULL: the order's
--
-- No row: no such return, or its order knows of no such product.
SELECT max(quantity, 0) FROM return_item
 WHERE sales_return_seq = (SELECT sales_return_seq FROM sales_return WHERE sales_return_id = ?1)
   AND CASE WHEN ?2 IS NULL THEN quantity > 0 ELSE sku = ?2 END
 ORDER BY rank
 LIMIT 1;

-- Says whether a product is automatic and has these levels.
--
-- ?1 sku  ?2 reorder_point  ?3 order_up_to
--
-- No row: it is not, or has others.
SELECT 1 FROM product WHERE sku = ?1 AND policy = 'auto' AND reorder_point = ?2 AND order_up_to = ?3;

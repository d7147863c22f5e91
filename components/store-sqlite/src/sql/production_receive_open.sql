-- Books the goods of whichever request is open for a product.
--
-- ?1 sku  ?2 quantity  ?3 at
--
-- No row: none is open.
UPDATE production
   SET status = 'received', received_quantity = ?2, received_at_ms = ?3
 WHERE sku = ?1 AND status IN ('planned', 'requested', 'overdue', 'failed')
RETURNING production_id;

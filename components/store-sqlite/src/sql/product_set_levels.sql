-- Sets the computed levels of a product under the `auto` policy.
--
-- ?1 sku  ?2 reorder_point  ?3 order_up_to  ?4 now
--
-- No row: no such product, not automatic, or these are its levels already. The last costs no write, however often
-- the levels are computed.
UPDATE product
   SET reorder_point = ?2, order_up_to = ?3, updated_at_ms = ?4
 WHERE sku = ?1 AND policy = 'auto' AND (reorder_point <> ?2 OR order_up_to <> ?3)
RETURNING 1;

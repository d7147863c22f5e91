-- Books the goods of a request, once. The movement, the backorders it fills and a request for a missing rest are in the
-- triggers.
--
-- ?1 production_id  ?2 quantity  ?3 at
--
-- No row: no such request, or its goods came before.
UPDATE production
   SET status = 'received', received_quantity = ?2, received_at_ms = ?3
 WHERE production_id = ?1 AND status <> 'received'
RETURNING production_id;

-- Reads what the report of a delivery is answered with.
--
-- ?1 production_id
--
-- No row: no such request. on_hand_after is NULL before the goods came.
SELECT sku, on_hand_after, traceparent FROM production WHERE production_id = ?1;

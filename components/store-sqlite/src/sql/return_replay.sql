-- Carries out an operator's word that a parcel is to be followed now: the trigger does what the row says.
--
-- ?1 order_number  ?2 order_item_number  ?3 shipment_number  ?4 partner_ref  ?5 operator  ?6 now
--
-- No row: the return was reported, nothing was written.
INSERT INTO return_replay (order_number, order_item_number, shipment_number, partner_ref, outcome, operator, at_ms)
SELECT ?1, ?2, ?3, ?4, CASE WHEN known.status IS NULL THEN 'begun' ELSE 'resumed' END, ?5, ?6
  FROM (SELECT 1)
  LEFT JOIN sales_return AS known ON known.order_number = ?1 AND known.order_item_number = ?2
 WHERE known.status IS NOT 'reported'
RETURNING outcome;

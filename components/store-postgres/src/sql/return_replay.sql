-- Carries out an operator's word that a parcel is to be followed now.
--
-- $1 order_number  $2 order_item_number  $3 shipment_number  $4 partner_ref  $5 operator  $6 now
--
-- One row: `begun`, `resumed` or `over`, and the columns of return_get.sql.
SELECT outcome,
       (entry).sales_return_id, (entry).order_number, (entry).order_item_number, (entry).shipment_number, (entry).partner_ref,
       (entry).status, (entry).goods, (entry).heard ->> -1, (entry).sku, (entry).quantity, (entry).collected_at_ms,
       (entry).tracked_at_ms, (entry).trackings, (entry).unknown_since_ms, (entry).delivered_at_ms, (entry).reported_at_ms,
       (entry).settled_at_ms, (entry).operator, (entry).reason, (entry).sales_return_seq
  FROM restock_return_replay($1::text, $2::text, $3::text, $4::text, $5::text, $6::bigint);

-- Decides that the goods of a return never go back on the shelf.
--
-- $1 sales_return_id  $2 reason  $3 operator  $4 now
--
-- One row: what became of the decision, and the columns of return_get.sql, all NULL for an unknown return.
SELECT outcome,
       (entry).sales_return_id, (entry).order_number, (entry).order_item_number, (entry).shipment_number, (entry).partner_ref,
       (entry).status, (entry).goods, (entry).heard ->> -1, (entry).sku, (entry).quantity, (entry).collected_at_ms,
       (entry).tracked_at_ms, (entry).trackings, (entry).unknown_since_ms, (entry).delivered_at_ms, (entry).reported_at_ms,
       (entry).settled_at_ms, (entry).operator, (entry).reason, (entry).sales_return_seq
  FROM restock_return_discard($1::text, $2::text, $3::text, $4::bigint);

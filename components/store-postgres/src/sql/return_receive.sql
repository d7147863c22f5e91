-- Puts the goods of a return on the shelf, once; the trigger books them.
--
-- $1 sales_return_id  $2 sku or NULL: the order's  $3 quantity or NULL: what is left of the order's  $4 reason  $5 operator
-- $6 now
--
-- One row: what became of the decision, how many at most where it asks for too many, and the columns of return_get.sql, all
-- NULL for an unknown return. (return_settling.sql of SQLite is part of it.)
SELECT outcome, at_most,
       (entry).sales_return_id, (entry).order_number, (entry).order_item_number, (entry).shipment_number, (entry).partner_ref,
       (entry).status, (entry).goods, (entry).heard ->> -1, (entry).sku, (entry).quantity, (entry).collected_at_ms,
       (entry).tracked_at_ms, (entry).trackings, (entry).unknown_since_ms, (entry).delivered_at_ms, (entry).reported_at_ms,
       (entry).settled_at_ms, (entry).operator, (entry).reason, (entry).sales_return_seq
  FROM restock_return_receive($1::text, $2::text, $3::bigint, $4::text, $5::text, $6::bigint);

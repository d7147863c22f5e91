-- Books goods for whichever request of a product is open, or without one where none is.
--
-- $1 sku  $2 quantity  $3 at
--
-- No row: no such product. production_id is NULL where no request was open. The columns are those of production_receive.sql.
SELECT production_id, sku, on_hand_after, repeated, traceparent
  FROM restock_production_receive_open($1::text, $2::bigint, $3::bigint);

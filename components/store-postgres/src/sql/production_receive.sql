-- Books the goods of a request, once. The movement, the backorders it fills and a request for a missing rest are in the
-- triggers.
--
-- $1 production_id  $2 quantity  $3 at
--
-- No row: no such request. on_hand_after and repeated: what the first report was answered, and whether this is another one.
SELECT production_id, sku, on_hand_after, repeated, traceparent
  FROM restock_production_receive($1::text, $2::bigint, $3::bigint);

-- Takes a part of the partner's list; the triggers follow what is new and set aside what has two shipments.
--
-- $1 return_collection_id  $2 JSON [{order_number, order_item_number, shipment_number, partner_ref}]  $3 now
--
-- One row: how many returns are new. A return with another shipment number is noted once in each collection.
SELECT restock_return_collected($1::text, $2::text::jsonb, $3::bigint);

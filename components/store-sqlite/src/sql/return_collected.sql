-- Takes a part of the partner's list; the triggers follow what is new and set aside what has two shipments.
--
-- ?1 return_collection_id  ?2 JSON [{order_number, order_item_number, shipment_number, partner_ref}]  ?3 now
--
-- A return with another shipment number is noted once in each collection.
INSERT INTO sales_return (order_number, order_item_number, shipment_number, partner_ref, return_collection_id,
                          collected_at_ms)
SELECT value ->> 'order_number', value ->> 'order_item_number', value ->> 'shipment_number', value ->> 'partner_ref', ?1, ?3
  FROM json_each(?2)
 WHERE true
ON CONFLICT (order_number, order_item_number) DO UPDATE
   SET other_shipment_number = excluded.shipment_number,
       other_collection_id = excluded.return_collection_id,
       other_at_ms = excluded.collected_at_ms
 WHERE status = 'collected' AND shipment_number <> excluded.shipment_number
   AND (other_shipment_number IS NOT excluded.shipment_number OR other_collection_id IS NOT excluded.return_collection_id);

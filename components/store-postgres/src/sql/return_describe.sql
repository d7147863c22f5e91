-- Reads a return with its history.
--
-- $1 sales_return_id
--
-- No row: no such return. Before the history, the columns are those of return_get.sql.
SELECT sales_return_id, order_number, order_item_number, shipment_number, partner_ref, status, goods, heard ->> -1,
       sku, quantity, collected_at_ms, tracked_at_ms, trackings, unknown_since_ms, delivered_at_ms, reported_at_ms,
       settled_at_ms, operator, reason, sales_return_seq,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('status', status, 'first_at', first_at_ms, 'last_at', last_at_ms,
                                                     'times', times) ORDER BY place), '[]')
          FROM return_sighting WHERE return_sighting.sales_return_seq = sales_return.sales_return_seq)::text AS sightings_json,
       (SELECT jsonb_build_object('sku', return_item.sku, 'quantity', return_item.quantity)
          FROM return_item
         WHERE return_item.sales_return_seq = sales_return.sales_return_seq AND return_item.quantity > 0
         ORDER BY rank
         LIMIT 1)::text AS item_json
  FROM sales_return
 WHERE sales_return_id = $1::text;

-- Places an order. Everything that follows from it is in the triggers of sales_order.
--
-- ?1 sales_order_id  ?2 idempotency_key or NULL  ?3 request_hash  ?4 customer_id  ?5 customer_email  ?6 customer_name
-- ?7 if_short  ?8 items as JSON [{sku, quantity}]  ?9 placed_at_ms  ?10 vip_rule: single-order or cumulative  ?11 vip_units
-- ?12 traceparent or NULL
--
-- No row comes back where a SKU is unknown or currencies differ: nothing was inserted. A key that was used before finds the
-- first order instead of inserting a second one; its counter is the only thing that changes.
--
-- `ring` foretells the triggers: 1 a request opens or the shelf empties, 2 the order makes a VIP, 3 both. Orders behind the
-- first ring no more.
-- min = max instead of count(DISTINCT): each temporary table costs as much as a row.
INSERT INTO sales_order (sales_order_id, idempotency_key, request_hash, customer_id, customer_email, customer_name,
                         if_short, placed_as, status, items, short, total_amount, currency, placed_at_ms, units, vip_rule,
                         vip_units, traceparent, ring)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, decision, decision, items, short, total_amount, currency, ?9, units, ?10, ?11, ?12,
       (decision <> 'rejected' AND rings)
       + 2 * CASE WHEN decision <> 'accepted' THEN 0
                  WHEN ?10 = 'single-order' THEN units >= ?11
                  ELSE coalesce((SELECT iif(bulk_orders = 0, units_bought + units, 0) FROM buyer WHERE customer_id = ?4),
                                units) >= ?11
             END
  FROM (SELECT count(*) AS lines,
               count(product.sku) AS known,
               min(product.price_currency) AS currency,
               max(product.price_currency) AS other_currency,
               sum(item.quantity) AS units,
               sum(item.quantity * product.price_amount) AS total_amount,
               CASE WHEN max(item.quantity > product.on_hand - product.backordered) = 0 THEN 'accepted'
                    WHEN ?7 = 'backorder' THEN 'backordered'
                    ELSE 'rejected' END AS decision,
               max(product.on_hand - product.backordered <= item.quantity AND product.depleted_since_ms IS NULL
                   OR product.on_hand + product.on_order - product.backordered - item.quantity
                      <= product.reorder_point
                  AND NOT EXISTS (SELECT 1 FROM production
                                   WHERE production.sku = product.sku
                                     AND production.status IN ('planned', 'requested', 'overdue', 'failed'))) AS rings,
               json_group_array(json_object('sku', item.sku, 'quantity', item.quantity,
                                            'unit_amount', product.price_amount)) AS items,
               json_group_array(json_object('sku', item.sku, 'requested', item.quantity,
                                            'available', max(product.on_hand - product.backordered, 0)))
                 FILTER (WHERE item.quantity > product.on_hand - product.backordered) AS short
          FROM (SELECT value ->> 'sku' AS sku, value ->> 'quantity' AS quantity FROM json_each(?8)) AS item
          LEFT JOIN product ON product.sku = item.sku)
 WHERE lines > 0 AND known = lines AND currency = other_currency
ON CONFLICT (idempotency_key) DO UPDATE SET replays = replays + 1
RETURNING sales_order_id, request_hash, customer_id, customer_email, customer_name, if_short, placed_as, status, items,
          short, total_amount, currency, placed_at_ms, filled_at_ms, ring, sequence, traceparent;

-- Reads what the levels of automatic products are computed from, in the order of their SKUs.
--
-- $1 the SKU after which the page begins, '' for the first  $2 limit  $3 start of the first day that counts
-- $4 start of today  $5 how many lead times
--
-- No row: the list ends here. Days are numbers of UTC days since 1970; first_day is NULL where nothing was ordered.
-- daily: JSON [[day, units]], days with orders only. Rejected lines count: they are demand that found no goods.
-- lead_times: JSON [days], oldest first.
SELECT sku, reorder_point, order_up_to,
       (SELECT min(at_ms) / 86400000 FROM sales_order_line WHERE sales_order_line.sku = product.sku) AS first_day,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(day, units) ORDER BY day), '[]')::text
          FROM (SELECT at_ms / 86400000 AS day, sum(quantity)::bigint AS units
                  FROM sales_order_line
                 WHERE sales_order_line.sku = product.sku AND at_ms >= $3::bigint AND at_ms < $4::bigint
                 GROUP BY at_ms / 86400000) AS days) AS daily,
       (SELECT coalesce(jsonb_agg(days ORDER BY received_at_ms), '[]')::text
          FROM (SELECT received_at_ms, (received_at_ms - requested_at_ms)::double precision / 86400000 AS days
                  FROM production
                 WHERE production.sku = product.sku AND status = 'received' AND requested_at_ms IS NOT NULL
                 ORDER BY received_at_ms DESC
                 LIMIT $5::bigint) AS latest) AS lead_times
  FROM product
 WHERE policy = 'auto' AND sku > $1::text
 ORDER BY sku
 LIMIT $2::bigint;

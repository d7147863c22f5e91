-- Reads products in the order of their SKUs.
--
-- $1 the SKU after which the page begins, '' for the first  $2 limit
--
-- No row: the list ends here. The columns are those of product_get.sql.
SELECT sku, name, price_amount, price_currency, factory_id, policy, reorder_point, order_up_to, ad_status,
       ad_manager_email, on_hand, on_order, backordered, depleted_since_ms
  FROM product
 WHERE sku > $1::text
 ORDER BY sku
 LIMIT $2::bigint;

-- Reads a product.
--
-- $1 sku
--
-- No row: no such product.
SELECT sku, name, price_amount, price_currency, factory_id, policy, reorder_point, order_up_to, ad_status,
       ad_manager_email, on_hand, on_order, backordered, depleted_since_ms
  FROM product
 WHERE sku = $1::text;

-- Creates or changes a product. The opening movement and a request that the levels make necessary are in the triggers.
--
-- $1 sku  $2 name  $3 price_amount  $4 price_currency  $5 factory_id  $6 policy  $7 reorder_point  $8 order_up_to
-- $9 ad_status: none, stopped or running  $10 ad_manager_email  $11 opening_stock  $12 now  $13 operator
--
-- No row: no such factory, nothing was changed. From the second column on, the columns are those of product_get.sql.
SELECT created, (defined).sku, (defined).name, (defined).price_amount, (defined).price_currency, (defined).factory_id,
       (defined).policy, (defined).reorder_point, (defined).order_up_to, (defined).ad_status,
       (defined).ad_manager_email, (defined).on_hand, (defined).on_order, (defined).backordered, (defined).depleted_since_ms
  FROM restock_product_define($1::text, $2::text, $3::bigint, $4::text, $5::text, $6::text, $7::bigint, $8::bigint, $9::text,
                              $10::text, $11::bigint, $12::bigint, $13::text);

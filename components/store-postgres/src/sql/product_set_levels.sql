-- Sets the computed levels of a product under the `auto` policy.
--
-- $1 sku  $2 reorder_point  $3 order_up_to  $4 now
--
-- One row: whether the product has these levels now. False: no such product, or not automatic.
SELECT restock_product_set_levels($1::text, $2::bigint, $3::bigint, $4::bigint);

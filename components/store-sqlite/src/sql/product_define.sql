-- Creates or changes a product. The opening movement and a request that the levels make necessary are in the triggers.
--
-- ?1 sku  ?2 name  ?3 price_amount  ?4 price_currency  ?5 factory_id  ?6 policy  ?7 reorder_point  ?8 order_up_to
-- ?9 ad_status: none, stopped or running  ?10 ad_manager_email  ?11 opening_stock  ?12 now  ?13 operator
--
-- No row: no such factory, nothing was changed.
--
-- A product keeps its stock. One that stays automatic keeps its computed levels too, and an advertisement that runs keeps the
-- request to pause it: a definition that is sent again must not undo what happened since.
INSERT INTO product (sku, name, price_amount, price_currency, factory_id, policy, reorder_point, order_up_to,
                     ad_status, ad_manager_email, opening_stock, created_at_ms, updated_at_ms, defined_by)
SELECT ?1, ?2, ?3, ?4, factory_id, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12, ?13
  FROM factory
 WHERE factory_id = ?5
ON CONFLICT (sku) DO UPDATE
   SET name = excluded.name,
       price_amount = excluded.price_amount,
       price_currency = excluded.price_currency,
       factory_id = excluded.factory_id,
       policy = excluded.policy,
       reorder_point = CASE WHEN product.policy = 'auto' AND excluded.policy = 'auto'
                            THEN product.reorder_point ELSE excluded.reorder_point END,
       order_up_to = CASE WHEN product.policy = 'auto' AND excluded.policy = 'auto'
                          THEN product.order_up_to ELSE excluded.order_up_to END,
       ad_status = CASE WHEN product.ad_status = 'pause-requested' AND excluded.ad_status = 'running'
                        THEN product.ad_status ELSE excluded.ad_status END,
       ad_manager_email = excluded.ad_manager_email,
       definitions = product.definitions + 1,
       defined_by = excluded.defined_by,
       updated_at_ms = excluded.updated_at_ms
RETURNING definitions = 1;

-- Corrects the stock by hand.
--
-- $1 sku  $2 delta  $3 reason  $4 operator  $5 idempotency_key or NULL  $6 now
--
-- One row. outcome: adjusted, and the movement follows; key-used, and the movement follows that the key was used for first,
-- with its sku; would-go-negative, with what is on hand; unknown-sku. In the last three nothing was changed. From the fourth
-- column on, the columns are those of movement_list.sql.
SELECT outcome, on_hand, (moved).sku, (moved).stock_movement_id, (moved).kind, (moved).delta, (moved).on_hand_after,
       (moved).sales_order_id, (moved).production_id, (moved).sales_return_id, (moved).reason, (moved).at_ms
  FROM restock_stock_adjust($1::text, $2::bigint, $3::text, $4::text, $5::text, $6::bigint);

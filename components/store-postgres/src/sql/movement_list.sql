-- Reads the ledger of a product, newest first.
--
-- $1 sku  $2 the movement before which the page begins, the largest integer for the first  $3 limit
--
-- No row: no such product. One row of NULLs: the ledger ends here.
--
-- In ranges, where an equation would do: with one, walking the table backwards looks as good, and it may be long until a row fits.
SELECT stock_movement_id, kind, delta, on_hand_after, sales_order_id, production_id, sales_return_id, reason, at_ms
  FROM product
  LEFT JOIN LATERAL (
    SELECT * FROM stock_movement
     WHERE (stock_movement.sku, stock_movement_id) < (product.sku, $2::bigint) AND stock_movement.sku >= product.sku
     ORDER BY stock_movement.sku DESC, stock_movement_id DESC
     LIMIT $3::bigint) AS movement ON true
 WHERE product.sku = $1::text
 ORDER BY stock_movement_id DESC;

-- Finds products with less than nothing on hand.
--
-- $1 limit. One row for each violation, in words.
SELECT format('%s: on_hand is %s, below zero', sku, on_hand) FROM product WHERE on_hand < 0 LIMIT $1::bigint;

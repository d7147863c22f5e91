-- Reads the units on hand of a product.
--
-- $1 sku
--
-- No row: no such product.
SELECT on_hand FROM product WHERE sku = $1::text;

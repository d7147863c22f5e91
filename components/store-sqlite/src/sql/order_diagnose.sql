-- Says why order_place.sql inserted nothing: one row for each item, in the order of the items.
--
-- ?1 items as JSON [{sku, quantity}]
--
-- No row: there are no items. A currency of NULL: no such product.
SELECT item.value ->> 'sku', product.price_currency
  FROM json_each(?1) AS item LEFT JOIN product ON product.sku = item.value ->> 'sku'
 ORDER BY item.key;

-- Records a purchase, once; the trigger promotes its customer. A repetition is counted and changes nothing else.
--
-- $1 sales_order_id  $2 customer_id  $3 email  $4 name  $5 units  $6 units_bought  $7 purchased_at_ms  $8 now
--
-- One row: whether it was recorded now, and then the columns of customer_get.sql, all NULL where there is no such customer (a
-- repetition that names another one).
SELECT fresh, customer_id, email, name, kind, units_bought, vip_since_ms, announced_at_ms, vip_order_id
  FROM restock_purchase_insert($1::text, $2::text, $3::text, $4::text, $5::bigint, $6::bigint, $7::bigint, $8::bigint);

-- Records a purchase, once; the trigger promotes its customer. A repetition is counted and changes nothing else.
--
-- ?1 sales_order_id  ?2 customer_id  ?3 email  ?4 name  ?5 units  ?6 units_bought  ?7 purchased_at_ms  ?8 now
INSERT INTO purchase (sales_order_id, customer_id, email, name, units, units_bought, purchased_at_ms, recorded_at_ms)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT (sales_order_id) DO UPDATE SET deliveries = deliveries + 1
RETURNING deliveries = 1;

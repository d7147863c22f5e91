-- Customers of a shop that has been open for a while.
SET session_replication_role = replica;
INSERT INTO customer (customer_id, units_bought, kind, vip_order_id, vip_since_ms)
SELECT 'C' || i, 100, 'vip', 'O' || i, i FROM generate_series(1, 20000) AS i;
INSERT INTO customer (customer_id, units_bought) SELECT 'N' || i, 1 FROM generate_series(1, 20000) AS i;
INSERT INTO purchase (sales_order_id, customer_id, units, units_bought, purchased_at_ms, recorded_at_ms)
SELECT 'O' || i, 'C' || i, 100, 100, 1, 1 FROM generate_series(1, 20000) AS i;
SET session_replication_role = DEFAULT;
VACUUM ANALYZE;

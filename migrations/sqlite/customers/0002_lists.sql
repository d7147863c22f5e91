-- The indexes of the list of customers.
--
-- Safe beside older code: indexes only.
--
-- The list has two parts, each read from its own index: VIPs by the moment at which they became one, and everyone else by id.

CREATE INDEX IF NOT EXISTS customer_vip ON customer (vip_since_ms, customer_id) WHERE kind = 'vip';
CREATE INDEX IF NOT EXISTS customer_normal ON customer (customer_id) WHERE kind = 'normal';

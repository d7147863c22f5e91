-- The indexes of the list of customers.
--
-- Safe beside older code: indexes only. The pair of migrations/sqlite/customers/0002_lists.sql.
--
-- The list has two parts, each read from its own index: VIPs by the moment at which they became one, and everyone else by id. Ids sort
-- by their bytes, as the cursors do, whatever the language of the database.

CREATE INDEX IF NOT EXISTS customer_vip ON customer (vip_since_ms, customer_id COLLATE "C") WHERE kind = 'vip';
CREATE INDEX IF NOT EXISTS customer_normal ON customer (customer_id COLLATE "C") WHERE kind = 'normal';

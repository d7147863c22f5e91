-- The indexes of the lists that people page through.
--
-- Safe beside older code: indexes only. The pair of migrations/sqlite/0013_lists.sql. On a large shop each is built in seconds, in
-- which orders wait.
--
-- A list reads one page from an index in the order in which it shows it; nothing is sorted or counted. An order pays for one
-- entry, that of its customer: the few orders that were not accepted at once share an index of their own.

CREATE INDEX IF NOT EXISTS sales_order_by_customer ON sales_order (customer_id, sequence);
CREATE INDEX IF NOT EXISTS sales_order_unfilled ON sales_order (status, sequence) WHERE status IN ('backordered', 'rejected');

CREATE INDEX IF NOT EXISTS production_by_product ON production (sku, production_id);
-- What is open, soonest due first. What the factory was not asked for yet has no due time.
CREATE INDEX IF NOT EXISTS production_open ON production (due_at_ms NULLS FIRST, production_id)
  WHERE status IN ('planned', 'requested', 'overdue', 'failed');

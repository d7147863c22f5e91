-- The indexes of the lists that people page through.
--
-- Safe beside older code: indexes only.
--
-- A list reads one page from an index in the order in which it shows it; nothing is sorted or counted. An order pays for one
-- entry, that of its customer: the few orders that were not accepted at once share an index of their own.

-- Behind the customer stands the row's number, which is the sequence.
CREATE INDEX IF NOT EXISTS sales_order_by_customer ON sales_order (customer_id);
-- In these words, because SQLite finds `status = 'rejected'` among them, and not in `status <> 'accepted'`.
CREATE INDEX IF NOT EXISTS sales_order_unfilled ON sales_order (status) WHERE status = 'backordered' OR status = 'rejected';

CREATE INDEX IF NOT EXISTS production_by_product ON production (sku, production_id);
-- What is open, soonest due first. NULL comes first: what the factory was not asked for yet has no due time.
CREATE INDEX IF NOT EXISTS production_open ON production (due_at_ms, production_id)
  WHERE status IN ('planned', 'requested', 'overdue', 'failed');

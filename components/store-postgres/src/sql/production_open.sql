-- Reads what is open, soonest due first; before it what has no due time.
--
-- $1 limit
--
-- The columns are those of production_get.sql.
SELECT production_id, sku, factory_id, quantity, status, attempts, planned_at_ms, requested_at_ms, due_at_ms, received_at_ms,
       received_quantity, factory_job_id, follows, because_on_hand, because_on_order, because_backordered,
       because_reorder_point, because_order_up_to, traceparent
  FROM production
 WHERE status IN ('planned', 'requested', 'overdue', 'failed')
 ORDER BY due_at_ms NULLS FIRST, production_id
 LIMIT $1::bigint;

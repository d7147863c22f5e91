-- Reads a production request.
--
-- $1 production_id
--
-- No row: no such request.
SELECT production_id, sku, factory_id, quantity, status, attempts, planned_at_ms, requested_at_ms, due_at_ms, received_at_ms,
       received_quantity, factory_job_id, follows, because_on_hand, because_on_order, because_backordered,
       because_reorder_point, because_order_up_to, traceparent
  FROM production
 WHERE production_id = $1::text;

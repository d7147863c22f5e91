-- Marks requests whose goods did not come in time; the trigger has them asked for again.
--
-- ?1 now  ?2 limit
--
-- One row for each.
UPDATE production
   SET status = 'overdue'
 WHERE production_id IN (SELECT production_id FROM production
                          WHERE status = 'requested' AND due_at_ms <= ?1
                          ORDER BY due_at_ms
                          LIMIT ?2)
RETURNING production_id;

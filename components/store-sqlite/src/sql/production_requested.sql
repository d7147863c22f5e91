-- Notes that the factory took the job.
--
-- ?1 production_id  ?2 factory_job_id or NULL  ?3 requested_at_ms  ?4 due_at_ms
--
-- Changes nothing where it was noted before or the goods came in the meantime.
UPDATE production
   SET status = 'requested',
       factory_job_id = coalesce(?2, factory_job_id),
       requested_at_ms = ?3,
       due_at_ms = ?4
 WHERE production_id = ?1 AND status IN ('planned', 'overdue', 'failed');

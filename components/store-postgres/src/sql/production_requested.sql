-- Notes that the factory took the job.
--
-- $1 production_id  $2 factory_job_id or NULL  $3 requested_at_ms  $4 due_at_ms
--
-- Changes nothing where it was noted before or the goods came in the meantime. One row of no meaning.
SELECT 1::bigint FROM restock_production_requested($1::text, $2::text, $3::bigint, $4::bigint);

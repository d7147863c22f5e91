-- Clears the incident of an audit that finds nothing any more.
--
-- $1 now
--
-- One row: how many were cleared, 0 or 1.
SELECT restock_incident_clear_audit($1::bigint);

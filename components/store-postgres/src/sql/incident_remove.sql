-- Removes incidents that were cleared long ago; their cases and notices go with them.
--
-- $1 the moment at or before which they were cleared  $2 limit
DELETE FROM incident
 WHERE incident_seq = ANY (ARRAY(SELECT incident_seq FROM incident
                                  WHERE cleared_at_ms <= $1::bigint
                                  ORDER BY cleared_at_ms
                                  LIMIT $2::bigint
                                    FOR UPDATE SKIP LOCKED));

-- Clears incidents that are over: quiet for a while, and none of their cases is wrong any more.
--
-- ?1 now  ?2 the moment at or before which they last grew  ?3 that of what comes and goes  ?4 limit
--
-- One row for each, with the number of its notices; the trigger makes them due. What an audit found is cleared by the next one.
-- A message that became a dead letter of another kind is wrong for the incident of that kind only, and nobody waits any more for
-- what an operator gave up.
UPDATE incident
   SET cleared_at_ms = ?1
 WHERE incident_seq IN (
   SELECT incident_seq
     FROM incident AS going
    WHERE going.cleared_at_ms IS NULL AND going.kind <> 'audit.violation'
      AND going.last_at_ms <= CASE WHEN going.kind IN ('circuit.opened', 'production.overdue', 'return.unknown') THEN ?3 ELSE ?2 END
      AND NOT EXISTS (
        SELECT 1 FROM incident_case AS wrong
         WHERE wrong.incident_id = going.incident_id
           AND CASE going.kind
                 WHEN 'message.buried' THEN
                   EXISTS (SELECT 1 FROM message
                            WHERE message_id = wrong.case_id
                              AND (state IN ('ready', 'leased') OR state = 'buried' AND reason = going.reason))
                 WHEN 'production.overdue' THEN
                   EXISTS (SELECT 1 FROM production
                            WHERE production_id = wrong.case_id
                              AND status IN ('planned', 'requested', 'overdue', 'failed'))
                 WHEN 'return.unknown' THEN
                   EXISTS (SELECT 1 FROM sales_return
                            WHERE sales_return_id = wrong.case_id AND status = 'collected' AND unknown_since_ms IS NOT NULL
                              AND given_up_at_ms IS NULL)
                 ELSE EXISTS (SELECT 1 FROM partner WHERE partner_id = wrong.case_id AND circuit <> 'closed')
               END)
    LIMIT ?4)
RETURNING (SELECT count(*) FROM incident_notice
            WHERE incident_notice.incident_id = incident.incident_id AND occasion = 'opened');

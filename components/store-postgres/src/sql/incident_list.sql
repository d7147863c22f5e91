-- Reads incidents, newest first.
--
-- $1 the incident before which the page begins, the largest integer for the first  $2 limit  $3 cases of each at most
--
-- No row: the list ends here.
SELECT incident.incident_id, incident.kind, incident.queue_id, incident.partner_id, incident.reason, incident.factory_id,
       (SELECT manager_email FROM factory WHERE factory.factory_id = incident.factory_id) AS manager_email,
       incident.opened_at_ms, incident.last_at_ms, incident.cleared_at_ms, incident.occurrences,
       (SELECT count(*) FROM incident_case WHERE incident_case.incident_id = incident.incident_id) AS cases_total,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('id', case_id, 'times', times, 'last_at', last_at_ms, 'words', words)
                                         ORDER BY last_at_ms DESC, case_id DESC), '[]')
          FROM (SELECT case_id, times, last_at_ms, words FROM incident_case
                 WHERE incident_case.incident_id = incident.incident_id
                 ORDER BY last_at_ms DESC, case_id DESC
                 LIMIT $3::bigint) AS latest)::text AS cases_json,
       incident.incident_seq
  FROM incident
 WHERE incident.incident_seq < $1::bigint
 ORDER BY incident.incident_seq DESC
 LIMIT $2::bigint;

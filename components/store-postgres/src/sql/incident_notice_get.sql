-- Reads a notice with its incident.
--
-- $1 incident_notice_id  $2 cases at most
--
-- No row: no such notice. After those of the notice, the columns are those of incident_list.sql.
SELECT notice.channel, notice.occasion,
       NOT EXISTS (SELECT 1 FROM incident_notice AS other
                    WHERE other.incident_id = notice.incident_id AND other.channel <> notice.channel) AS only_channel,
       notice.told_at_ms,
       (SELECT coalesce(max(occurrences_told), 0) FROM incident_notice AS earlier
         WHERE earlier.incident_id = notice.incident_id AND earlier.channel = notice.channel
           AND earlier.incident_notice_id < notice.incident_notice_id) AS occurrences_told,
       incident.incident_id, incident.kind, incident.queue_id, incident.partner_id, incident.reason, incident.factory_id,
       (SELECT manager_email FROM factory WHERE factory.factory_id = incident.factory_id) AS manager_email,
       incident.opened_at_ms, incident.last_at_ms, incident.cleared_at_ms, incident.occurrences,
       (SELECT count(*) FROM incident_case WHERE incident_case.incident_id = incident.incident_id) AS cases_total,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('id', case_id, 'times', times, 'last_at', last_at_ms, 'words', words)
                                         ORDER BY last_at_ms DESC, case_id DESC), '[]')
          FROM (SELECT case_id, times, last_at_ms, words FROM incident_case
                 WHERE incident_case.incident_id = incident.incident_id
                 ORDER BY last_at_ms DESC, case_id DESC
                 LIMIT $2::bigint) AS latest)::text AS cases_json,
       incident.incident_seq
  FROM incident_notice AS notice JOIN incident ON incident.incident_id = notice.incident_id
 WHERE notice.incident_notice_id = $1::bigint;

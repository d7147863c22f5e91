-- Finds incidents that owe a notice which they do not have: one when they open, on at least one channel, and one on each of these
-- when they are over.
--
-- $1 limit. One row for each violation, in words.
SELECT format('incident %s: has %s notices of its beginning and %s of its end', incident_id, opened, cleared)
  FROM (SELECT incident.incident_id, cleared_at_ms, count(*) FILTER (WHERE occasion = 'opened') AS opened,
               count(*) FILTER (WHERE occasion = 'cleared') AS cleared
          FROM incident LEFT JOIN incident_notice ON incident_notice.incident_id = incident.incident_id
         GROUP BY incident.incident_seq) AS told
 WHERE opened NOT BETWEEN 1 AND 2 OR cleared <> CASE WHEN cleared_at_ms IS NULL THEN 0 ELSE opened END
 LIMIT $1::bigint;

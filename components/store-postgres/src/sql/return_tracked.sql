-- Notes what the partner said of a shipment; the triggers keep it, forgive what failed before it, and tell people or publish the
-- report.
--
-- $1 sales_return_id  $2 shipment_number that was asked for  $3 JSON [status], in the partner's order  $4 delivered, 0 or 1  $5 now
--
-- Changes nothing where there is no such return, it has another number by now, or it is past this step: looked at on the locked
-- row.
UPDATE sales_return
   SET heard = $3::text::jsonb,
       trackings = trackings + 1,
       tracked_at_ms = $5::bigint,
       unknown_since_ms = CASE WHEN $3::text::jsonb = '[]' THEN coalesce(unknown_since_ms, $5::bigint) END,
       status = CASE WHEN $4::bigint = 1 THEN 'delivered' ELSE status END,
       delivered_at_ms = CASE WHEN $4::bigint = 1 THEN $5::bigint END,
       renumbered = false,
       given_up_at_ms = CASE WHEN $4::bigint = 0 THEN given_up_at_ms END
 WHERE sales_return_id = $1::text AND shipment_number = $2::text AND status = 'collected';

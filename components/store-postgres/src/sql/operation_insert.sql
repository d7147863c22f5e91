-- Carries out an operator's action: the triggers of operation do what the row says.
--
-- $1 kind  $2 queue_id  $3 which dead letters: none, ids, reason or all  $4 JSON [message_id]  $5 their reason
-- $6 how many at most  $7 the operator's reason  $8 operator  $9 now
--
-- No row: no such queue, nothing was recorded.
SELECT affected
  FROM restock_operation_insert($1::text, $2::text, $3::text, $4::text::jsonb, $5::text, $6::bigint, $7::text, $8::text,
                                $9::bigint) AS affected;

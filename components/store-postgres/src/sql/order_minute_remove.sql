-- Removes tallies of old minutes. The trigger adds them to the totals.
--
-- $1 the moment at or before which a minute is old  $2 limit
--
-- Several sweeps at once share them.
DELETE FROM order_minute
 WHERE ctid = ANY (ARRAY(SELECT ctid FROM order_minute
                          WHERE minute_ms <= $1::bigint
                          ORDER BY minute_ms, stripe, outcome
                          LIMIT $2::bigint
                            FOR UPDATE SKIP LOCKED));

-- Removes tallies of old minutes. The trigger adds them to the totals.
--
-- ?1 the moment at or before which a minute is old  ?2 limit
DELETE FROM order_minute
 WHERE (minute_ms, stripe, outcome) IN (SELECT minute_ms, stripe, outcome FROM order_minute
                                         WHERE minute_ms <= ?1
                                         ORDER BY minute_ms, stripe, outcome
                                         LIMIT ?2);

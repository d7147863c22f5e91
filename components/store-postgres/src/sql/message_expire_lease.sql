-- Ends the attempts of workers that did not come back in time.
--
-- $1 now  $2 attempts_max of queues that set none  $3 limit
--
-- One row for each message that became ready again, or was buried because it has no attempts left.
SELECT state FROM restock_message_expire_lease($1::bigint, $2::bigint, $3::bigint) AS state;

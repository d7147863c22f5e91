-- Notes that the marketing system took the news of a VIP.
--
-- $1 vip_order_id  $2 now
--
-- Changes nothing where it was noted before.
UPDATE customer SET announced_at_ms = $2::bigint WHERE vip_order_id = $1::text AND announced_at_ms IS NULL;

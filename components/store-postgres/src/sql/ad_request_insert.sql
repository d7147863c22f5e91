-- Notes that a manager was asked; the trigger moves the advertisement.
--
-- $1 errand_id  $2 sku  $3 request  $4 depleted_since_ms  $5 ad_starts  $6 now
--
-- Changes nothing where it was noted before, or there is no such product.
INSERT INTO ad_request (errand_id, sku, request, depleted_since_ms, ad_starts, asked_at_ms)
SELECT $1::text, sku, $3::text, $4::bigint, $5::bigint, $6::bigint FROM product WHERE sku = $2::text
ON CONFLICT (errand_id) DO NOTHING;

-- Places an order.
--
-- $1 sales_order_id  $2 idempotency_key or NULL  $3 request_hash  $4 customer_id  $5 customer_email  $6 customer_name
-- $7 if_short  $8 items as JSON [{sku, quantity}]  $9 placed_at_ms  $10 vip_rule: single-order or cumulative  $11 vip_units
-- $12 traceparent or NULL
--
-- One row. outcome: recorded, and the order follows, the placement's own or the one that used its key first; unknown-skus, and
-- a JSON list of them follows; mixed-currencies. In the last two nothing was changed and the order's columns are NULL. From the
-- third column on, the columns are those of order_get.sql.
SELECT outcome, unknown::text, (placed).sales_order_id, (placed).request_hash, (placed).customer_id, (placed).customer_email,
       (placed).customer_name, (placed).if_short, (placed).placed_as, (placed).status, (placed).items::text, (placed).short::text,
       (placed).total_amount, (placed).currency, (placed).placed_at_ms, (placed).filled_at_ms, (placed).ring,
       (placed).sequence, (placed).traceparent
  FROM restock_order_place($1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text, $8::text::jsonb, $9::bigint,
                           $10::text, $11::bigint, $12::text);

-- A shop that has been open for a while: enough rows of everything that reading one table from end to end would show.
--
-- Written around the triggers, so the levels of products are not what the rows sum to; plans do not depend on it. What the calls
-- of plans.rs are about can be told from the number in its name. 1800000000000 is now.
SET session_replication_role = replica;

INSERT INTO factory (factory_id, name, created_at_ms, updated_at_ms)
SELECT 'F' || i, 'factory', 1, 1 FROM generate_series(1, 20) AS i;

INSERT INTO product (sku, name, price_amount, price_currency, factory_id, policy, reorder_point, order_up_to, ad_status,
                     opening_stock, on_hand, backordered, depleted_since_ms, created_at_ms, updated_at_ms)
SELECT 'P' || i, 'product', 100, 'EUR', 'F' || 1 + i % 20, CASE WHEN i % 3 = 0 THEN 'auto' ELSE 'manual' END, 5, 2000,
       CASE i % 4 WHEN 0 THEN 'running' WHEN 1 THEN 'pause-requested' ELSE 'none' END, 1000, 1000,
       CASE WHEN i % 100 = 0 THEN 12 ELSE 0 END, CASE WHEN i % 8 = 0 THEN 1700000000000 + i END, 1, 1
  FROM generate_series(0, 4999) AS i;

INSERT INTO sales_order (sequence, sales_order_id, idempotency_key, request_hash, customer_id, if_short, placed_as, status,
                         items, short, total_amount, currency, placed_at_ms, ring, units)
OVERRIDING SYSTEM VALUE
SELECT i, 'O' || i, 'K' || i, 'h', 'C' || i % 5000, 'reject', status, status,
       jsonb_build_array(jsonb_build_object('sku', 'P' || i % 5000, 'quantity', 2, 'unit_amount', 100)), '[]', 200, 'EUR',
       1790000000000 + i, 0, 2
  FROM (SELECT i, CASE WHEN i % 100 = 0 THEN 'backordered' WHEN i % 20 = 1 THEN 'rejected' ELSE 'accepted' END AS status
          FROM generate_series(1, 30000) AS i) AS numbered;

INSERT INTO sales_order_line (sequence, sku, quantity, unit_amount, state, at_ms)
SELECT sequence, 'P' || sequence % 5000, 2, 100,
       CASE status WHEN 'backordered' THEN 'waiting' WHEN 'rejected' THEN 'rejected' ELSE 'sold' END, placed_at_ms
  FROM sales_order;

INSERT INTO stock_movement (sku, kind, delta, on_hand_after, sales_order_id, idempotency_key, at_ms)
SELECT 'P' || i % 5000, 'sold', -2, 10, 'O' || i, 'A' || i, 1790000000000 + i FROM generate_series(1, 30000) AS i;

INSERT INTO buyer (customer_id, orders, units_bought) SELECT 'C' || i, 6, 12 FROM generate_series(0, 4999) AS i;

-- Requests that are over, and one open one for each of many products.
INSERT INTO production (production_id, sku, factory_id, quantity, status, planned_at_ms, received_at_ms, received_quantity,
                        because_on_hand, because_on_order, because_backordered, because_reorder_point, because_order_up_to)
SELECT 'R' || i, 'P' || i % 5000, 'F1', 5, 'received', 1, 1790000000000 + i, 5, 1, 1, 1, 1, 1
  FROM generate_series(1, 10000) AS i;
INSERT INTO production (production_id, sku, factory_id, quantity, status, planned_at_ms, requested_at_ms, due_at_ms,
                        because_on_hand, because_on_order, because_backordered, because_reorder_point, because_order_up_to)
SELECT 'Q' || i, 'P' || i, 'F1', 5, (ARRAY['planned', 'requested', 'overdue', 'failed'])[1 + i % 4], 1, 1, 1799999999000 + i,
       1, 1, 1, 1, 1
  FROM generate_series(1, 2000) AS i;
UPDATE product SET on_order = 100;

INSERT INTO event (event_id, type, subject, time_ms, data)
SELECT 'E' || i, 'stock.low', 'P' || i % 5000, 1790000000000 + i, jsonb_build_object('production_id', 'Q' || i)
  FROM generate_series(1, 30000) AS i;

-- Few are ready or under lease, some are dead letters, most are done.
UPDATE queue SET in_flight_max = 1000000;
INSERT INTO message (message_seq, message_id, queue_id, event_id, subject, state, available_at_ms, created_at_ms, receipt,
                     leased_at_ms, lease_until_ms, settled_at_ms, reason)
OVERRIDING SYSTEM VALUE
SELECT i, 'M' || i, 'replenishment', 'E' || i, 'P' || i % 5000, state, 1790000000000, 1790000000000,
       CASE state WHEN 'leased' THEN 'r' || i END, CASE state WHEN 'leased' THEN 1 END,
       CASE state WHEN 'leased' THEN 1799999990000 + i END, 1790000000000 + i, 'factory-' || i % 10
  FROM (SELECT i, CASE WHEN i % 40 = 0 THEN 'ready' WHEN i % 500 = 1 THEN 'leased' WHEN i % 10 = 2 THEN 'buried' ELSE 'done' END
                    AS state
          FROM generate_series(1, 30000) AS i) AS numbered;

INSERT INTO message_attempt (message_seq, started_at_ms, ended_at_ms, outcome, reason, error)
SELECT i, 1, 2, 'done', '', '' FROM generate_series(1, 30000) AS i;

INSERT INTO operation (kind, queue_id, selection, affected, reason, operator, at_ms)
SELECT 'redrive', 'replenishment', '[]', 0, '', 'op', i FROM generate_series(1, 10000) AS i;
INSERT INTO operator_action (kind, subject, detail, reason, operator, at_ms)
SELECT 'k', 's', '{}', '', 'op', i FROM generate_series(1, 20000) AS i;

-- Returns of the orders with their numbers, each with the message of its step.
INSERT INTO sales_return (sales_return_seq, sales_return_id, order_number, order_item_number, shipment_number,
                          return_collection_id, status, goods, sku, quantity, heard, collected_at_ms, delivered_at_ms,
                          reported_at_ms, settled_at_ms)
OVERRIDING SYSTEM VALUE
SELECT i, 'T' || i, CASE WHEN i % 2 = 0 THEN 'O' ELSE 'K' END || i, 'P' || i % 5000, 'S' || i, 'L' || i % 3000,
       (ARRAY['collected', 'delivered', 'reported'])[1 + i % 3],
       CASE WHEN i % 3 < 2 THEN 'pending' WHEN i % 6 = 2 THEN 'received' ELSE 'waiting' END,
       CASE WHEN i % 6 = 2 THEN 'P' || i % 5000 END, CASE WHEN i % 6 = 2 THEN 1 END, '["moving"]', 1790000000000 + i,
       CASE WHEN i % 3 > 0 THEN 1790000000000 + i END, CASE WHEN i % 3 = 2 THEN 1790000000000 + i END,
       CASE WHEN i % 6 = 2 THEN 1790000000000 + i END
  FROM generate_series(1, 20000) AS i;
INSERT INTO return_sighting (sales_return_seq, status, place, first_at_ms, last_at_ms)
SELECT i, 'moving', 0, 1, 1 FROM generate_series(1, 20000) AS i;
INSERT INTO event (event_id, type, subject, time_ms, data)
SELECT 'G' || sales_return_seq, 'return.' || status, sales_return_id, 1790000000000,
       jsonb_build_object('return_id', sales_return_id)
  FROM sales_return;
INSERT INTO message (message_seq, message_id, queue_id, event_id, subject, state, available_at_ms, created_at_ms, receipt,
                     leased_at_ms, lease_until_ms, settled_at_ms, reason)
OVERRIDING SYSTEM VALUE
SELECT 100000 + i, 'N' || i, 'returns', 'G' || i, 'T' || i, state, 1790000000000, 1790000000000,
       CASE state WHEN 'leased' THEN 'r' || i END, CASE state WHEN 'leased' THEN 1 END,
       CASE state WHEN 'leased' THEN 1799999990000 + i END, 1790000000000 + i, 'logistics-' || i % 10
  FROM (SELECT i, CASE WHEN i % 3 = 2 THEN 'done' WHEN i % 500 = 1 THEN 'leased' WHEN i % 10 = 2 THEN 'buried' ELSE 'ready' END
                    AS state
          FROM generate_series(1, 20000) AS i) AS numbered;

INSERT INTO return_collection (return_collection_id, progress, began_at_ms, finished_at_ms)
SELECT 'L' || i, 'finished', 1790000000000 + i, 1790000000000 + i FROM generate_series(0, 4999) AS i;
INSERT INTO return_collection (return_collection_id, progress, began_at_ms) VALUES ('running', 'running', 1799999999999);
INSERT INTO return_reject (return_collection_id, last_collection_id, reason, record, first_at_ms, last_at_ms)
SELECT 'L' || i % 3000, 'L1', 'unreadable', 'record ' || i, 1790000000000 + i, 1790000000000 + i
  FROM generate_series(1, 20000) AS i;
INSERT INTO return_replay (order_number, order_item_number, shipment_number, outcome, operator, at_ms)
SELECT 'O' || i, '1', 'S', 'begun', 'op', i FROM generate_series(1, 10000) AS i;

-- A few incidents are open.
INSERT INTO incident (incident_seq, incident_id, kind, queue_id, partner_id, reason, factory_id, opened_at_ms, last_at_ms,
                      cleared_at_ms, case_id, words)
OVERRIDING SYSTEM VALUE
SELECT i, 'I' || i, CASE WHEN i % 2 = 0 THEN 'message.buried' ELSE 'return.unknown' END, 'returns', 'logistics', 'reason ' || i,
       '', 1, 1, CASE WHEN i > 40 THEN 1790000000000 + i END, 'N' || i, 'words'
  FROM generate_series(1, 10000) AS i;
INSERT INTO incident_case (incident_id, case_id, last_at_ms, words)
SELECT 'I' || i, 'N' || i, 1, 'words' FROM generate_series(1, 10000) AS i;
INSERT INTO incident_notice (incident_notice_id, incident_id, channel, occasion, at_ms, occurrences)
OVERRIDING SYSTEM VALUE
SELECT i, 'I' || i, 'mail', 'opened', 1, 0 FROM generate_series(1, 10000) AS i;

INSERT INTO letter (letter_id, state, provider, content, entrusted_at_ms)
SELECT 'pause:P' || i % 5000 || ':' || i || ':0.m', 'entrusted', 'ses', '{}', 1790000000000 + i
  FROM generate_series(1, 20000) AS i;
INSERT INTO ad_request (errand_id, sku, request, depleted_since_ms, ad_starts, asked_at_ms)
SELECT 'D' || i, 'P' || i % 5000, 'pause', i, 0, 1790000000000 + i FROM generate_series(1, 20000) AS i;
INSERT INTO turn (job, taken_at_ms) VALUES ('audit', 1);
INSERT INTO partner_pass (partner_pass_id, partner_id, slot_us, spacing_us, probe, entered_at_ms, expires_at_ms)
SELECT 'W' || i, 'factory', 1, 1, false, 1, 1900000000000 FROM generate_series(1, 5) AS i;

SELECT setval(pg_get_serial_sequence('sales_order', 'sequence'), 1000000),
       setval(pg_get_serial_sequence('message', 'message_seq'), 1000000),
       setval(pg_get_serial_sequence('sales_return', 'sales_return_seq'), 1000000),
       setval(pg_get_serial_sequence('incident', 'incident_seq'), 1000000),
       setval(pg_get_serial_sequence('incident_notice', 'incident_notice_id'), 1000000);
SET session_replication_role = DEFAULT;
VACUUM ANALYZE;

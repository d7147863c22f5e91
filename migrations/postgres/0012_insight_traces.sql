-- The second half of 0012_insight.sql, applied with it: the pace of products, and the trace that an order leaves in all that it
-- causes.
--
-- Safe beside older code: functions and triggers are replaced by ones that do the same and note more; a function that older code
-- calls keeps its parameters, and answers with the columns that it had and one more. What older code sells counts too; its orders
-- have no trace.
--
-- `product.traceparent` (W3C) is that of what changed the stock of a product last, set by each change, also to nothing. What that
-- very change causes takes it on: a request, an event. Nothing else may look at it, because the next change is somebody else's.

ALTER TABLE product ADD COLUMN IF NOT EXISTS traceparent text;
ALTER TABLE event ADD COLUMN IF NOT EXISTS traceparent text;

-- As before, with the pace and the trace of the order or of the request. A movement for an order that waited is no sale: it counted
-- when the order began to wait.
--
-- Where a clock was put back into the hour before, that is what its sales count for. One that is further away from the hour of the
-- last sale begins anew: an hour of the far future, from a clock that was ahead, is nothing to keep.
CREATE OR REPLACE FUNCTION stock_movement_moves_stock() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_hour CONSTANT bigint := NEW.at_ms / 3600000;
  v_day CONSTANT bigint := NEW.at_ms / 86400000;
BEGIN
  IF NEW.kind = 'sold' AND NEW.backordered_delta = 0 THEN
    UPDATE product
       SET on_hand = on_hand + NEW.delta,
           updated_at_ms = NEW.at_ms,
           traceparent = (SELECT traceparent FROM sales_order WHERE sales_order_id = NEW.sales_order_id),
           pace_hour = CASE v_hour - pace_hour WHEN -1 THEN pace_hour ELSE v_hour END,
           pace_hour_units = CASE v_hour - pace_hour
             WHEN 0 THEN pace_hour_units - NEW.delta WHEN -1 THEN pace_hour_units ELSE -NEW.delta END,
           pace_hour_before = CASE v_hour - pace_hour
             WHEN 0 THEN pace_hour_before WHEN 1 THEN pace_hour_units WHEN -1 THEN pace_hour_before - NEW.delta ELSE 0 END,
           pace_day = CASE v_day - pace_day WHEN -1 THEN pace_day ELSE v_day END,
           pace_day_units = CASE v_day - pace_day
             WHEN 0 THEN pace_day_units - NEW.delta WHEN -1 THEN pace_day_units ELSE -NEW.delta END,
           pace_day_before = CASE v_day - pace_day
             WHEN 0 THEN pace_day_before WHEN 1 THEN pace_day_units WHEN -1 THEN pace_day_before - NEW.delta ELSE 0 END
     WHERE sku = NEW.sku;
  ELSE
    UPDATE product
       SET on_hand = on_hand + NEW.delta,
           on_order = on_order + NEW.on_order_delta,
           backordered = backordered + NEW.backordered_delta,
           updated_at_ms = NEW.at_ms,
           traceparent = CASE
             WHEN NEW.sales_order_id IS NOT NULL
             THEN (SELECT traceparent FROM sales_order WHERE sales_order_id = NEW.sales_order_id)
             WHEN NEW.production_id IS NOT NULL
             THEN (SELECT traceparent FROM production WHERE production_id = NEW.production_id) END
     WHERE sku = NEW.sku;
  END IF;
  RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION waiting_line_is_backordered() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_hour CONSTANT bigint := NEW.at_ms / 3600000;
  v_day CONSTANT bigint := NEW.at_ms / 86400000;
BEGIN
  UPDATE product
     SET backordered = backordered + NEW.quantity,
         updated_at_ms = NEW.at_ms,
         traceparent = (SELECT traceparent FROM sales_order WHERE sequence = NEW.sequence),
         pace_hour = CASE v_hour - pace_hour WHEN -1 THEN pace_hour ELSE v_hour END,
         pace_hour_units = CASE v_hour - pace_hour
           WHEN 0 THEN pace_hour_units + NEW.quantity WHEN -1 THEN pace_hour_units ELSE NEW.quantity END,
         pace_hour_before = CASE v_hour - pace_hour
           WHEN 0 THEN pace_hour_before WHEN 1 THEN pace_hour_units WHEN -1 THEN pace_hour_before + NEW.quantity ELSE 0 END,
         pace_day = CASE v_day - pace_day WHEN -1 THEN pace_day ELSE v_day END,
         pace_day_units = CASE v_day - pace_day
           WHEN 0 THEN pace_day_units + NEW.quantity WHEN -1 THEN pace_day_units ELSE NEW.quantity END,
         pace_day_before = CASE v_day - pace_day
           WHEN 0 THEN pace_day_before WHEN 1 THEN pace_day_units WHEN -1 THEN pace_day_before + NEW.quantity ELSE 0 END
   WHERE sku = NEW.sku;
  RETURN NULL;
END
$$;

-- From here on: as before, with the trace. NEW is the product as the change left it whose consequence this is; what follows from
-- other consequences of it has traces of its own. Levels that an operator sets change no stock, and have none.
CREATE OR REPLACE FUNCTION product_is_reordered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO production (sku, factory_id, quantity, planned_at_ms, because_on_hand, because_on_order,
                          because_backordered, because_reorder_point, because_order_up_to, traceparent)
  SELECT sku, factory_id, order_up_to - (on_hand + on_order - backordered), updated_at_ms, on_hand, on_order,
         backordered, reorder_point, order_up_to,
         CASE WHEN NEW.on_hand <> OLD.on_hand OR NEW.on_order <> OLD.on_order OR NEW.backordered <> OLD.backordered
              THEN NEW.traceparent END
    FROM product
   WHERE sku = NEW.sku
     AND on_hand + on_order - backordered <= reorder_point
     AND NOT EXISTS (SELECT 1 FROM production
                      WHERE sku = NEW.sku AND status IN ('planned', 'requested', 'overdue', 'failed'));
  RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION production_is_announced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event (type, subject, time_ms, data, traceparent)
  SELECT CASE WHEN on_hand - backordered <= 0 AND depleted_since_ms IS NULL THEN 'stock.depleted' ELSE 'stock.low' END,
         sku, NEW.planned_at_ms,
         jsonb_build_object('sku', sku, 'production_id', NEW.production_id, 'quantity', NEW.quantity,
                            'factory_id', NEW.factory_id, 'on_hand', on_hand, 'backordered', backordered),
         NEW.traceparent
    FROM product WHERE sku = NEW.sku;
  UPDATE product
     SET on_order = on_order + NEW.quantity,
         updated_at_ms = NEW.planned_at_ms,
         traceparent = NEW.traceparent,
         depleted_since_ms = CASE WHEN on_hand - backordered <= 0
                                  THEN coalesce(depleted_since_ms, NEW.planned_at_ms) ELSE depleted_since_ms END
   WHERE sku = NEW.sku;
  RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION product_is_depleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event (type, subject, time_ms, data, traceparent)
  SELECT 'stock.depleted', product.sku, product.updated_at_ms,
         jsonb_build_object('sku', product.sku, 'production_id', production_id, 'quantity', quantity,
                            'factory_id', production.factory_id, 'on_hand', on_hand, 'backordered', backordered),
         NEW.traceparent
    FROM product JOIN production ON production.sku = product.sku
     AND production.status IN ('planned', 'requested', 'overdue', 'failed')
   WHERE product.sku = NEW.sku AND on_hand - backordered <= 0 AND depleted_since_ms IS NULL;
  IF FOUND THEN
    UPDATE product SET depleted_since_ms = updated_at_ms
     WHERE sku = NEW.sku AND on_hand - backordered <= 0 AND depleted_since_ms IS NULL;
  END IF;
  RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION product_gets_goods() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.backordered > 0 THEN
    UPDATE sales_order SET status = 'accepted', filled_at_ms = NEW.updated_at_ms
     WHERE status = 'backordered' AND sequence = ANY (ARRAY(
       SELECT waiting.sequence
         FROM (SELECT sequence, sku, sum(quantity) OVER (PARTITION BY sku ORDER BY sequence) AS up_to_here
                 FROM sales_order_line
                WHERE state = 'waiting' AND sku = ANY (ARRAY(
                  SELECT DISTINCT other.sku FROM sales_order_line AS mine
                    JOIN sales_order_line AS other ON other.sequence = mine.sequence
                   WHERE mine.sku = NEW.sku AND mine.state = 'waiting'))) AS waiting
         JOIN product ON product.sku = waiting.sku
        WHERE waiting.sequence IN (SELECT sequence FROM sales_order_line WHERE sku = NEW.sku AND state = 'waiting')
        GROUP BY waiting.sequence
       HAVING min(product.on_hand - waiting.up_to_here) >= 0));
  END IF;
  INSERT INTO event (type, subject, time_ms, data, traceparent)
  SELECT 'stock.replenished', sku, NEW.updated_at_ms,
         jsonb_build_object('sku', sku, 'on_hand', on_hand, 'backordered', backordered,
                            'depleted_since_ms', depleted_since_ms),
         NEW.traceparent
    FROM product WHERE sku = NEW.sku AND on_hand - backordered > 0 AND depleted_since_ms IS NOT NULL;
  IF FOUND THEN
    UPDATE product SET depleted_since_ms = NULL
     WHERE sku = NEW.sku AND on_hand - backordered > 0 AND depleted_since_ms IS NOT NULL;
  END IF;
  RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION production_is_received() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO production (sku, factory_id, quantity, follows, planned_at_ms, because_on_hand, because_on_order,
                          because_backordered, because_reorder_point, because_order_up_to, traceparent)
  SELECT sku, factory_id, NEW.quantity - NEW.received_quantity, NEW.production_id, NEW.received_at_ms, on_hand,
         on_order, backordered, reorder_point, order_up_to, NEW.traceparent
    FROM product
   WHERE sku = NEW.sku AND NEW.received_quantity < NEW.quantity AND OLD.status IN ('planned', 'requested', 'overdue')
     AND NOT EXISTS (SELECT 1 FROM production
                      WHERE sku = NEW.sku AND status IN ('planned', 'requested', 'overdue', 'failed'));
  INSERT INTO stock_movement (sku, kind, delta, on_order_delta, on_hand_after, production_id, at_ms)
  SELECT sku, 'received', NEW.received_quantity,
         CASE WHEN OLD.status IN ('planned', 'requested', 'overdue') THEN -NEW.quantity ELSE 0 END,
         on_hand + NEW.received_quantity, NEW.production_id, NEW.received_at_ms
    FROM product WHERE sku = NEW.sku;
  UPDATE production SET on_hand_after = (SELECT on_hand FROM product WHERE sku = NEW.sku)
   WHERE production_id = NEW.production_id;
  RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION production_is_overdue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event (type, subject, time_ms, data, traceparent)
  VALUES ('production.overdue', NEW.sku, NEW.due_at_ms, jsonb_build_object(
    'sku', NEW.sku, 'production_id', NEW.production_id, 'quantity', NEW.quantity, 'factory_id', NEW.factory_id,
    'attempts', NEW.attempts), NEW.traceparent);
  RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION failed_production_brings_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE product SET on_order = on_order - NEW.quantity, traceparent = NEW.traceparent WHERE sku = NEW.sku;
  RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION replanned_production_brings_goods() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE product SET on_order = on_order + NEW.quantity, traceparent = NEW.traceparent WHERE sku = NEW.sku;
  RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION bulk_order_is_an_event() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
BEGIN
  INSERT INTO event (type, subject, time_ms, data, traceparent)
  SELECT 'order.bulk', NEW.customer_id, coalesce(filled_at_ms, placed_at_ms),
         jsonb_build_object('order_id', sales_order_id, 'customer_id', NEW.customer_id, 'email', NEW.email,
                            'name', NEW.name, 'units', units, 'units_bought', NEW.units_bought, 'vip_rule', vip_rule,
                            'vip_units', vip_units),
         traceparent
    FROM sales_order WHERE sales_order_id = NEW.bulk_order_id;
  RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION buried_message_is_an_event() RETURNS trigger
LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
DECLARE
  v_partner text := (SELECT partner_id FROM partner WHERE starts_with(NEW.reason, partner_id || '-')
                      ORDER BY length(partner_id) DESC LIMIT 1);
BEGIN
  INSERT INTO event (type, subject, time_ms, data, traceparent)
  SELECT 'message.buried', NEW.queue_id, NEW.settled_at_ms, jsonb_build_object(
           'message_id', NEW.message_id, 'queue', NEW.queue_id, 'subject', NEW.subject,
           'reason', NEW.reason, 'error', NEW.error, 'partner', v_partner,
           'factory_id', CASE WHEN v_partner = 'factory' THEN event.data ->> 'factory_id' END),
         event.traceparent
    FROM event
   WHERE event.event_id = NEW.event_id;
  RETURN NULL;
END
$$;

-- An incident is opened by one event, and grows and ends by many.
CREATE OR REPLACE FUNCTION notice_is_a_message() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
BEGIN
  INSERT INTO event (type, subject, time_ms, data, traceparent)
  VALUES ('incident.' || NEW.occasion, NEW.channel || ':' || NEW.incident_id, NEW.at_ms,
          jsonb_build_object('notice_id', NEW.incident_notice_id::text, 'incident_id', NEW.incident_id,
                             'channel', NEW.channel),
          CASE WHEN NEW.occasion = 'opened' THEN (SELECT traceparent FROM event WHERE event_id = NEW.incident_id) END);
  RETURN NULL;
END
$$;

-- As before, in a trace. Older code calls the one without it, which follows.
CREATE OR REPLACE FUNCTION restock_order_place(
  IN p_sales_order_id text, IN p_idempotency_key text, IN p_request_hash text, IN p_customer_id text,
  IN p_customer_email text, IN p_customer_name text, IN p_if_short text, IN p_items jsonb, IN p_placed_at_ms bigint,
  IN p_vip_rule text, IN p_vip_units bigint, IN p_traceparent text,
  OUT outcome text, OUT unknown jsonb, OUT placed sales_order)
LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
DECLARE
  item record;
  held record;
  available bigint;
  decision text := 'accepted';
  rings boolean := false;
  items jsonb := '[]';
  short jsonb := '[]';
  missing jsonb := '[]';
  total bigint := 0;
  units bigint := 0;
  currency text;
  currencies_differ boolean := false;
BEGIN
  IF p_idempotency_key IS NOT NULL THEN
    PERFORM 1 FROM sales_order WHERE idempotency_key = p_idempotency_key;
    IF FOUND THEN
      UPDATE sales_order SET replays = replays + 1 WHERE idempotency_key = p_idempotency_key RETURNING * INTO placed;
      outcome := 'recorded';
      RETURN;
    END IF;
  END IF;

  IF jsonb_array_length(p_items) > 1 THEN
    PERFORM restock_lock_products(ARRAY(SELECT value ->> 'sku' FROM jsonb_array_elements(p_items)));
  END IF;
  -- Row by row: a join would be planned as a scan of all products where these are few.
  FOR item IN SELECT value ->> 'sku' AS sku, CAST(value ->> 'quantity' AS bigint) AS quantity FROM jsonb_array_elements(p_items)
  LOOP
    SELECT price_amount, price_currency, reorder_point, on_hand, on_order, backordered, depleted_since_ms
      INTO held FROM product WHERE sku = item.sku FOR NO KEY UPDATE;
    IF NOT FOUND THEN
      missing := missing || to_jsonb(item.sku);
      CONTINUE;
    END IF;
    available := held.on_hand - held.backordered;
    IF item.quantity > available THEN
      decision := CASE p_if_short WHEN 'backorder' THEN 'backordered' ELSE 'rejected' END;
      short := short || jsonb_build_object('sku', item.sku, 'requested', item.quantity, 'available', greatest(available, 0));
    END IF;
    items := items || jsonb_build_object('sku', item.sku, 'quantity', item.quantity, 'unit_amount', held.price_amount);
    units := units + item.quantity;
    total := total + item.quantity * held.price_amount;
    currencies_differ := currencies_differ OR currency <> held.price_currency;
    currency := held.price_currency;
    rings := rings
      OR available <= item.quantity AND held.depleted_since_ms IS NULL
      OR available + held.on_order - item.quantity <= held.reorder_point
     AND NOT EXISTS (SELECT 1 FROM production
                      WHERE production.sku = item.sku
                        AND production.status IN ('planned', 'requested', 'overdue', 'failed'));
  END LOOP;

  IF missing <> '[]' OR items = '[]' THEN
    outcome := 'unknown-skus';
    unknown := missing;
    RETURN;
  ELSIF currencies_differ THEN
    outcome := 'mixed-currencies';
    RETURN;
  END IF;

  INSERT INTO sales_order (sales_order_id, idempotency_key, request_hash, customer_id, customer_email, customer_name,
                           if_short, placed_as, status, items, short, total_amount, currency, placed_at_ms, units,
                           vip_rule, vip_units, traceparent, ring)
  VALUES (p_sales_order_id, p_idempotency_key, p_request_hash, p_customer_id, p_customer_email, p_customer_name,
          p_if_short, decision, decision, items, short, total, currency, p_placed_at_ms, units, p_vip_rule, p_vip_units,
          p_traceparent,
          CASE WHEN decision <> 'rejected' AND rings THEN 1 ELSE 0 END
          + CASE WHEN decision <> 'accepted' THEN 0
                 WHEN p_vip_rule = 'single-order' THEN CASE WHEN units >= p_vip_units THEN 2 ELSE 0 END
                 WHEN coalesce((SELECT CASE WHEN bulk_orders = 0 THEN units_bought + units ELSE 0 END
                                  FROM buyer WHERE customer_id = p_customer_id), units) >= p_vip_units THEN 2
                 ELSE 0 END)
  ON CONFLICT (idempotency_key) DO NOTHING
  RETURNING * INTO placed;
  IF NOT FOUND THEN
    -- Another call used the key since we looked.
    UPDATE sales_order SET replays = replays + 1 WHERE idempotency_key = p_idempotency_key RETURNING * INTO placed;
  END IF;
  outcome := 'recorded';
END
$$;

CREATE OR REPLACE FUNCTION restock_order_place(
  IN p_sales_order_id text, IN p_idempotency_key text, IN p_request_hash text, IN p_customer_id text,
  IN p_customer_email text, IN p_customer_name text, IN p_if_short text, IN p_items jsonb, IN p_placed_at_ms bigint,
  IN p_vip_rule text, IN p_vip_units bigint,
  OUT outcome text, OUT unknown jsonb, OUT placed sales_order)
LANGUAGE sql AS $$
  SELECT * FROM restock_order_place(p_sales_order_id, p_idempotency_key, p_request_hash, p_customer_id, p_customer_email,
                                    p_customer_name, p_if_short, p_items, p_placed_at_ms, p_vip_rule, p_vip_units, NULL)
$$;

-- As before, and each message comes with the trace of its event. (The columns that a function answers with cannot be replaced, so it
-- is made anew.)
DROP FUNCTION IF EXISTS restock_message_claim(text, bigint, bigint);
CREATE FUNCTION restock_message_claim(IN p_queue_id text, IN p_limit bigint, IN p_now bigint)
RETURNS TABLE (claimed message, source text, type text, time_ms bigint, data jsonb, traceparent text)
LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  worked queue;
  room bigint;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  PERFORM pg_advisory_xact_lock(hashtextextended('restock.claim.' || p_queue_id, 0));
  SELECT * INTO worked FROM queue WHERE queue_id = p_queue_id AND NOT paused;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  SELECT least(p_limit, worked.in_flight_max - count(*)) INTO room
    FROM message WHERE queue_id = p_queue_id AND state = 'leased';
  IF room <= 0 THEN
    RETURN;
  END IF;
  RETURN QUERY
  WITH due AS MATERIALIZED (
    SELECT due.message_seq
      FROM message AS due
     WHERE due.queue_id = p_queue_id AND due.state = 'ready' AND due.available_at_ms <= p_now
       AND (NOT worked.ordered
            OR NOT EXISTS (SELECT 1 FROM message AS older
                            WHERE older.queue_id = due.queue_id AND older.subject = due.subject
                              AND older.message_seq < due.message_seq AND older.state IN ('ready', 'leased')))
     ORDER BY due.available_at_ms, due.message_seq
     LIMIT room
       FOR NO KEY UPDATE SKIP LOCKED),
  leased AS (
    UPDATE message
       SET state = 'leased',
           attempts = attempts + 1,
           receipt = replace(CAST(gen_random_uuid() AS text), '-', ''),
           leased_at_ms = p_now,
           lease_until_ms = p_now + worked.lease_ms
     WHERE message_seq = ANY (ARRAY(SELECT due.message_seq FROM due))
    RETURNING message)
  SELECT leased.message, event.source, event.type, event.time_ms, event.data, event.traceparent
    FROM leased JOIN event ON event.event_id = (leased.message).event_id
   ORDER BY (leased.message).message_seq;
END
$$;

-- As before, and the receipt comes with the trace of the request.
DROP FUNCTION IF EXISTS restock_production_receive(text, bigint, bigint);
CREATE FUNCTION restock_production_receive(IN p_production_id text, IN p_quantity bigint, IN p_now bigint)
RETURNS TABLE (production_id text, sku text, on_hand_after bigint, repeated boolean, traceparent text)
LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  wanted_sku text;
BEGIN
  SELECT production.sku INTO wanted_sku FROM production WHERE production_id = p_production_id;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  PERFORM restock_lock_goods(ARRAY[wanted_sku]);
  UPDATE production SET status = 'received', received_quantity = p_quantity, received_at_ms = p_now
   WHERE production_id = p_production_id AND status <> 'received';
  repeated := NOT FOUND;
  RETURN QUERY
  SELECT production.production_id, production.sku, production.on_hand_after, repeated, production.traceparent
    FROM production WHERE production_id = p_production_id;
END
$$;

-- Likewise; none where no request was open.
DROP FUNCTION IF EXISTS restock_production_receive_open(text, bigint, bigint);
CREATE FUNCTION restock_production_receive_open(IN p_sku text, IN p_quantity bigint, IN p_now bigint)
RETURNS TABLE (production_id text, sku text, on_hand_after bigint, repeated boolean, traceparent text)
LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  open_id text;
  open_trace text;
BEGIN
  PERFORM restock_lock_goods(ARRAY[p_sku]);
  UPDATE production SET status = 'received', received_quantity = p_quantity, received_at_ms = p_now
   WHERE sku = p_sku AND status IN ('planned', 'requested', 'overdue', 'failed')
  RETURNING production_id, traceparent INTO open_id, open_trace;
  IF NOT FOUND THEN
    INSERT INTO stock_movement (sku, kind, delta, on_hand_after, at_ms)
    SELECT sku, 'received', p_quantity, on_hand + p_quantity, p_now FROM product WHERE sku = p_sku;
  END IF;
  RETURN QUERY SELECT open_id, product.sku, on_hand, false, open_trace FROM product WHERE sku = p_sku;
END
$$;

-- Numbers for people who watch, and the trace that an order leaves in all that it causes.
--
-- Safe beside older code: new tables, columns that may be null or have a default, and triggers that older code does not know it
-- fires. Triggers are replaced by ones that do the same and note more. Products that older code sells count too; its orders have
-- no trace.
--
-- No number is found by counting rows when somebody asks: the write that makes a row tallies it, in a row that it changes anyway
-- where there is one. Nothing is tallied twice, because each tally hangs on a step that is made once.

-- Orders by minute and first answer. What retention removes is added to `order_total` by the same write, so that both together are
-- all orders ever. `stripe` is for engines with writers side by side.
CREATE TABLE IF NOT EXISTS order_minute (
  minute_ms INTEGER NOT NULL,            -- when it begins
  stripe    INTEGER NOT NULL,
  outcome   TEXT NOT NULL,               -- placed_as
  orders    INTEGER NOT NULL,
  PRIMARY KEY (minute_ms, stripe, outcome)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS order_total (
  outcome TEXT PRIMARY KEY,
  orders  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Orders from before there were tallies, once: it reads all of them.
INSERT INTO order_total (outcome, orders)
SELECT column1, (SELECT count(*) FROM sales_order WHERE placed_as = column1)
  FROM (VALUES ('accepted'), ('backordered'), ('rejected'))
 WHERE NOT EXISTS (SELECT 1 FROM order_total);

CREATE TRIGGER IF NOT EXISTS order_is_tallied AFTER INSERT ON sales_order
BEGIN
  INSERT INTO order_minute (minute_ms, stripe, outcome, orders)
  VALUES (NEW.placed_at_ms - NEW.placed_at_ms % 60000, 0, NEW.placed_as, 1)
  ON CONFLICT (minute_ms, stripe, outcome) DO UPDATE SET orders = orders + 1;
END;

CREATE TRIGGER IF NOT EXISTS removed_minute_is_in_the_total AFTER DELETE ON order_minute
BEGIN
  UPDATE order_total SET orders = orders + OLD.orders WHERE outcome = OLD.outcome;
END;

-- How long requests took, from the plan to the goods.
CREATE TABLE IF NOT EXISTS lead_time (
  bucket      INTEGER NOT NULL,          -- shortest first
  stripe      INTEGER NOT NULL,
  seconds_max INTEGER,                   -- included; NULL: above the last bound
  requests    INTEGER NOT NULL,
  ms_sum      INTEGER NOT NULL,
  PRIMARY KEY (bucket, stripe)
) STRICT, WITHOUT ROWID;

INSERT INTO lead_time (bucket, stripe, seconds_max, requests, ms_sum)
VALUES (1, 0, 10, 0, 0), (2, 0, 30, 0, 0), (3, 0, 60, 0, 0), (4, 0, 300, 0, 0), (5, 0, 900, 0, 0), (6, 0, 1800, 0, 0),
       (7, 0, 3600, 0, 0), (8, 0, 7200, 0, 0), (9, 0, 14400, 0, 0), (10, 0, 43200, 0, 0), (11, 0, 86400, 0, 0),
       (12, 0, 172800, 0, 0), (13, 0, 345600, 0, 0), (14, 0, 604800, 0, 0), (15, 0, NULL, 0, 0)
ON CONFLICT DO NOTHING;

UPDATE lead_time SET (requests, ms_sum) = (
  SELECT count(*), coalesce(sum(took_ms), 0)
    FROM (SELECT max(0, received_at_ms - planned_at_ms) AS took_ms FROM production WHERE status = 'received')
   WHERE bucket = (SELECT min(fits.bucket) FROM lead_time AS fits
                    WHERE fits.seconds_max IS NULL OR took_ms <= fits.seconds_max * 1000))
 WHERE NOT EXISTS (SELECT 1 FROM lead_time WHERE requests > 0);

CREATE TRIGGER IF NOT EXISTS received_request_had_a_lead_time AFTER UPDATE OF status ON production
WHEN OLD.status <> 'received' AND NEW.status = 'received'
BEGIN
  UPDATE lead_time
     SET requests = requests + 1, ms_sum = ms_sum + max(0, NEW.received_at_ms - NEW.planned_at_ms)
   WHERE bucket = (SELECT min(bucket) FROM lead_time
                    WHERE seconds_max IS NULL OR max(0, NEW.received_at_ms - NEW.planned_at_ms) <= seconds_max * 1000);
END;

-- The pace of a product: units that were sold or went on to waiting orders within one hour and one day of the calendar, and within
-- the ones before. From two such neighbours a window that slides is estimated (product_cover.sql). Hours and days are numbered
-- from 1970.
--
-- Where a clock was put back into the hour before, that is what its sales count for. One that is further away from the hour of the
-- last sale begins anew: an hour of the far future, from a clock that was ahead, is nothing to keep.
ALTER TABLE product ADD COLUMN pace_hour INTEGER NOT NULL DEFAULT 0;
ALTER TABLE product ADD COLUMN pace_hour_units INTEGER NOT NULL DEFAULT 0;
ALTER TABLE product ADD COLUMN pace_hour_before INTEGER NOT NULL DEFAULT 0;
ALTER TABLE product ADD COLUMN pace_day INTEGER NOT NULL DEFAULT 0;
ALTER TABLE product ADD COLUMN pace_day_units INTEGER NOT NULL DEFAULT 0;
ALTER TABLE product ADD COLUMN pace_day_before INTEGER NOT NULL DEFAULT 0;

-- The trace (`traceparent`, W3C) of what changed the stock of a product last, set by each change, also to nothing. What that very
-- change causes takes it on: a request, an event. Nothing else may look at it, because the next change is somebody else's.
ALTER TABLE sales_order ADD COLUMN traceparent TEXT;
ALTER TABLE product ADD COLUMN traceparent TEXT;
ALTER TABLE production ADD COLUMN traceparent TEXT;
ALTER TABLE event ADD COLUMN traceparent TEXT;

-- As before, with the trace of the order or of the request. A movement for an order that waited is no sale: it counted when the
-- order began to wait.
DROP TRIGGER IF EXISTS stock_movement_moves_stock;
CREATE TRIGGER stock_movement_moves_stock AFTER INSERT ON stock_movement
WHEN NEW.kind <> 'sold' OR NEW.backordered_delta <> 0
BEGIN
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
END;

DROP TRIGGER IF EXISTS sale_moves_stock;
CREATE TRIGGER sale_moves_stock AFTER INSERT ON stock_movement
WHEN NEW.kind = 'sold' AND NEW.backordered_delta = 0
BEGIN
  UPDATE product
     SET on_hand = on_hand + NEW.delta,
         updated_at_ms = NEW.at_ms,
         traceparent = (SELECT traceparent FROM sales_order WHERE sales_order_id = NEW.sales_order_id),
         pace_hour = CASE NEW.at_ms / 3600000 - pace_hour WHEN -1 THEN pace_hour ELSE NEW.at_ms / 3600000 END,
         pace_hour_units = CASE NEW.at_ms / 3600000 - pace_hour
           WHEN 0 THEN pace_hour_units - NEW.delta WHEN -1 THEN pace_hour_units ELSE -NEW.delta END,
         pace_hour_before = CASE NEW.at_ms / 3600000 - pace_hour
           WHEN 0 THEN pace_hour_before WHEN 1 THEN pace_hour_units WHEN -1 THEN pace_hour_before - NEW.delta ELSE 0 END,
         pace_day = CASE NEW.at_ms / 86400000 - pace_day WHEN -1 THEN pace_day ELSE NEW.at_ms / 86400000 END,
         pace_day_units = CASE NEW.at_ms / 86400000 - pace_day
           WHEN 0 THEN pace_day_units - NEW.delta WHEN -1 THEN pace_day_units ELSE -NEW.delta END,
         pace_day_before = CASE NEW.at_ms / 86400000 - pace_day
           WHEN 0 THEN pace_day_before WHEN 1 THEN pace_day_units WHEN -1 THEN pace_day_before - NEW.delta ELSE 0 END
   WHERE sku = NEW.sku;
END;

DROP TRIGGER IF EXISTS waiting_line_is_backordered;
CREATE TRIGGER waiting_line_is_backordered AFTER INSERT ON sales_order_line WHEN NEW.state = 'waiting'
BEGIN
  UPDATE product
     SET backordered = backordered + NEW.quantity,
         updated_at_ms = NEW.at_ms,
         traceparent = (SELECT traceparent FROM sales_order WHERE sequence = NEW.sequence),
         pace_hour = CASE NEW.at_ms / 3600000 - pace_hour WHEN -1 THEN pace_hour ELSE NEW.at_ms / 3600000 END,
         pace_hour_units = CASE NEW.at_ms / 3600000 - pace_hour
           WHEN 0 THEN pace_hour_units + NEW.quantity WHEN -1 THEN pace_hour_units ELSE NEW.quantity END,
         pace_hour_before = CASE NEW.at_ms / 3600000 - pace_hour
           WHEN 0 THEN pace_hour_before WHEN 1 THEN pace_hour_units WHEN -1 THEN pace_hour_before + NEW.quantity ELSE 0 END,
         pace_day = CASE NEW.at_ms / 86400000 - pace_day WHEN -1 THEN pace_day ELSE NEW.at_ms / 86400000 END,
         pace_day_units = CASE NEW.at_ms / 86400000 - pace_day
           WHEN 0 THEN pace_day_units + NEW.quantity WHEN -1 THEN pace_day_units ELSE NEW.quantity END,
         pace_day_before = CASE NEW.at_ms / 86400000 - pace_day
           WHEN 0 THEN pace_day_before WHEN 1 THEN pace_day_units WHEN -1 THEN pace_day_before + NEW.quantity ELSE 0 END
   WHERE sku = NEW.sku;
END;

-- From here on: as before, with the trace. NEW is the product as the change left it whose consequence this is; what follows from
-- other consequences of it has traces of its own. Levels that an operator sets change no stock, and have none.
DROP TRIGGER IF EXISTS product_is_reordered;
CREATE TRIGGER product_is_reordered
AFTER UPDATE OF on_hand, on_order, backordered, reorder_point, order_up_to ON product
WHEN NEW.on_hand + NEW.on_order - NEW.backordered <= NEW.reorder_point
 AND NOT EXISTS (SELECT 1 FROM production
                  WHERE sku = NEW.sku AND status IN ('planned', 'requested', 'overdue', 'failed'))
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
END;

DROP TRIGGER IF EXISTS production_is_announced;
CREATE TRIGGER production_is_announced AFTER INSERT ON production
BEGIN
  INSERT INTO event (type, subject, time_ms, data, traceparent)
  SELECT CASE WHEN on_hand - backordered <= 0 AND depleted_since_ms IS NULL THEN 'stock.depleted' ELSE 'stock.low' END,
         sku, NEW.planned_at_ms,
         json_object('sku', sku, 'production_id', NEW.production_id, 'quantity', NEW.quantity,
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
END;

DROP TRIGGER IF EXISTS product_is_depleted;
CREATE TRIGGER product_is_depleted AFTER UPDATE OF on_hand, backordered ON product
WHEN NEW.on_hand - NEW.backordered <= 0 AND NEW.depleted_since_ms IS NULL
 AND EXISTS (SELECT 1 FROM production
              WHERE sku = NEW.sku AND status IN ('planned', 'requested', 'overdue', 'failed'))
BEGIN
  INSERT INTO event (type, subject, time_ms, data, traceparent)
  SELECT 'stock.depleted', product.sku, product.updated_at_ms,
         json_object('sku', product.sku, 'production_id', production_id, 'quantity', quantity,
                     'factory_id', production.factory_id, 'on_hand', on_hand, 'backordered', backordered),
         NEW.traceparent
    FROM product JOIN production ON production.sku = product.sku
     AND production.status IN ('planned', 'requested', 'overdue', 'failed')
   WHERE product.sku = NEW.sku AND on_hand - backordered <= 0 AND depleted_since_ms IS NULL;
  UPDATE product SET depleted_since_ms = updated_at_ms
   WHERE sku = NEW.sku AND on_hand - backordered <= 0 AND depleted_since_ms IS NULL;
END;

DROP TRIGGER IF EXISTS product_gets_goods;
CREATE TRIGGER product_gets_goods AFTER UPDATE OF on_hand ON product WHEN NEW.on_hand > OLD.on_hand
BEGIN
  UPDATE sales_order SET status = 'accepted', filled_at_ms = NEW.updated_at_ms
   WHERE NEW.backordered > 0 AND status = 'backordered' AND sequence IN (
     SELECT waiting.sequence
       FROM (SELECT sequence, sku, sum(quantity) OVER (PARTITION BY sku ORDER BY sequence) AS up_to_here
               FROM sales_order_line
              WHERE state = 'waiting' AND sku IN (
                SELECT other.sku FROM sales_order_line AS mine
                  JOIN sales_order_line AS other ON other.sequence = mine.sequence
                 WHERE mine.sku = NEW.sku AND mine.state = 'waiting')) AS waiting
       JOIN product ON product.sku = waiting.sku
      WHERE waiting.sequence IN (SELECT sequence FROM sales_order_line WHERE sku = NEW.sku AND state = 'waiting')
      GROUP BY waiting.sequence
     HAVING min(product.on_hand - waiting.up_to_here) >= 0);
  INSERT INTO event (type, subject, time_ms, data, traceparent)
  SELECT 'stock.replenished', sku, NEW.updated_at_ms,
         json_object('sku', sku, 'on_hand', on_hand, 'backordered', backordered, 'depleted_since_ms', depleted_since_ms),
         NEW.traceparent
    FROM product WHERE sku = NEW.sku AND on_hand - backordered > 0 AND depleted_since_ms IS NOT NULL;
  UPDATE product SET depleted_since_ms = NULL
   WHERE sku = NEW.sku AND on_hand - backordered > 0 AND depleted_since_ms IS NOT NULL;
END;

DROP TRIGGER IF EXISTS production_is_received;
CREATE TRIGGER production_is_received AFTER UPDATE OF status ON production
WHEN OLD.status <> 'received' AND NEW.status = 'received'
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
END;

DROP TRIGGER IF EXISTS production_is_overdue;
CREATE TRIGGER production_is_overdue AFTER UPDATE OF status ON production
WHEN OLD.status = 'requested' AND NEW.status = 'overdue'
BEGIN
  INSERT INTO event (type, subject, time_ms, data, traceparent)
  VALUES ('production.overdue', NEW.sku, NEW.due_at_ms, json_object(
    'sku', NEW.sku, 'production_id', NEW.production_id, 'quantity', NEW.quantity, 'factory_id', NEW.factory_id,
    'attempts', NEW.attempts), NEW.traceparent);
END;

DROP TRIGGER IF EXISTS failed_production_brings_nothing;
CREATE TRIGGER failed_production_brings_nothing AFTER UPDATE OF status ON production
WHEN NEW.status = 'failed' AND OLD.status IN ('planned', 'overdue')
BEGIN
  UPDATE product SET on_order = on_order - NEW.quantity, traceparent = NEW.traceparent WHERE sku = NEW.sku;
END;

DROP TRIGGER IF EXISTS replanned_production_brings_goods;
CREATE TRIGGER replanned_production_brings_goods AFTER UPDATE OF status ON production
WHEN OLD.status = 'failed' AND NEW.status IN ('planned', 'requested')
BEGIN
  UPDATE product SET on_order = on_order + NEW.quantity, traceparent = NEW.traceparent WHERE sku = NEW.sku;
END;

DROP TRIGGER IF EXISTS bulk_order_is_an_event;
CREATE TRIGGER bulk_order_is_an_event AFTER UPDATE OF bulk_orders ON buyer
WHEN NEW.bulk_orders > OLD.bulk_orders
BEGIN
  INSERT INTO event (type, subject, time_ms, data, traceparent)
  SELECT 'order.bulk', NEW.customer_id, coalesce(filled_at_ms, placed_at_ms),
         json_object('order_id', sales_order_id, 'customer_id', NEW.customer_id, 'email', NEW.email,
                     'name', NEW.name, 'units', units, 'units_bought', NEW.units_bought, 'vip_rule', vip_rule,
                     'vip_units', vip_units),
         traceparent
    FROM sales_order WHERE sales_order_id = NEW.bulk_order_id;
END;

DROP TRIGGER IF EXISTS buried_message_is_an_event;
CREATE TRIGGER buried_message_is_an_event AFTER UPDATE OF state ON message
WHEN NEW.state = 'buried' AND NEW.queue_id <> 'alerts'
BEGIN
  INSERT INTO event (type, subject, time_ms, data, traceparent)
  SELECT 'message.buried', NEW.queue_id, NEW.settled_at_ms, json_object(
           'message_id', NEW.message_id, 'queue', NEW.queue_id, 'subject', NEW.subject,
           'reason', NEW.reason, 'error', NEW.error, 'partner', concerned.partner_id,
           'factory_id', CASE WHEN concerned.partner_id = 'factory' THEN event.data ->> 'factory_id' END),
         event.traceparent
    FROM event
    LEFT JOIN (SELECT partner_id FROM partner
                WHERE substr(NEW.reason, 1, length(partner_id) + 1) = partner_id || '-'
                ORDER BY length(partner_id) DESC LIMIT 1) AS concerned
   WHERE event.event_id = NEW.event_id;
END;

-- An incident is opened by one event, and grows and ends by many.
DROP TRIGGER IF EXISTS notice_is_a_message;
CREATE TRIGGER notice_is_a_message AFTER INSERT ON incident_notice
BEGIN
  INSERT INTO event (type, subject, time_ms, data, traceparent)
  VALUES ('incident.' || NEW.occasion, NEW.channel || ':' || NEW.incident_id, NEW.at_ms,
          json_object('notice_id', CAST(NEW.incident_notice_id AS TEXT), 'incident_id', NEW.incident_id,
                      'channel', NEW.channel),
          CASE WHEN NEW.occasion = 'opened' THEN (SELECT traceparent FROM event WHERE event_id = NEW.incident_id) END);
END;

-- How attempts ended, queue by queue, and how many messages were done within one minute and the one before, as for the pace of a
-- product.
ALTER TABLE queue ADD COLUMN retried_total INTEGER NOT NULL DEFAULT 0;
ALTER TABLE queue ADD COLUMN postponed_total INTEGER NOT NULL DEFAULT 0;
ALTER TABLE queue ADD COLUMN buried_total INTEGER NOT NULL DEFAULT 0;
ALTER TABLE queue ADD COLUMN expired_total INTEGER NOT NULL DEFAULT 0;
ALTER TABLE queue ADD COLUMN done_minute INTEGER NOT NULL DEFAULT 0;
ALTER TABLE queue ADD COLUMN done_minute_messages INTEGER NOT NULL DEFAULT 0;
ALTER TABLE queue ADD COLUMN done_minute_before INTEGER NOT NULL DEFAULT 0;

-- As before, without the count: postponements in a row are one attempt to look at, and each of them is counted.
DROP TRIGGER IF EXISTS message_keeps_its_attempts;
CREATE TRIGGER message_keeps_its_attempts AFTER UPDATE OF state ON message
WHEN OLD.state = 'leased'
 AND NOT (NEW.outcome = 'postpone'
          AND EXISTS (SELECT 1 FROM message_attempt
                       WHERE message_attempt_id = (SELECT max(message_attempt_id) FROM message_attempt
                                                    WHERE message_seq = NEW.message_seq)
                         AND outcome = 'postpone' AND reason = NEW.reason))
BEGIN
  INSERT INTO message_attempt (message_seq, started_at_ms, ended_at_ms, outcome, reason, error)
  VALUES (NEW.message_seq, OLD.leased_at_ms, NEW.settled_at_ms, NEW.outcome, NEW.reason, NEW.error);
END;

DROP TRIGGER IF EXISTS done_message_is_counted;
CREATE TRIGGER done_message_is_counted AFTER UPDATE OF state ON message WHEN OLD.state = 'leased' AND NEW.state = 'done'
BEGIN
  UPDATE queue
     SET done_total = done_total + 1,
         done_minute = CASE NEW.settled_at_ms / 60000 - done_minute
           WHEN -1 THEN done_minute ELSE NEW.settled_at_ms / 60000 END,
         done_minute_messages = CASE NEW.settled_at_ms / 60000 - done_minute
           WHEN 0 THEN done_minute_messages + 1 WHEN -1 THEN done_minute_messages ELSE 1 END,
         done_minute_before = CASE NEW.settled_at_ms / 60000 - done_minute
           WHEN 0 THEN done_minute_before WHEN 1 THEN done_minute_messages WHEN -1 THEN done_minute_before + 1 ELSE 0 END
   WHERE queue_id = NEW.queue_id;
END;

DROP TRIGGER IF EXISTS failed_attempt_is_counted;
CREATE TRIGGER failed_attempt_is_counted AFTER UPDATE OF state ON message WHEN OLD.state = 'leased' AND NEW.state <> 'done'
BEGIN
  UPDATE queue
     SET retried_total = retried_total + (NEW.outcome = 'retry'),
         postponed_total = postponed_total + (NEW.outcome = 'postpone'),
         buried_total = buried_total + (NEW.outcome = 'bury'),
         expired_total = expired_total + (NEW.outcome = 'lease-expired')
   WHERE queue_id = NEW.queue_id;
END;

-- Production requests: what was asked of a factory, and how running low leads to it.
--
-- Safe beside older code: new tables, and triggers that older code does not know it fires.

CREATE TABLE IF NOT EXISTS production (
  production_id     TEXT PRIMARY KEY DEFAULT (
    printf('%s-%s-7%s-%s%s-%s',
      substr(printf('%012x', CAST(unixepoch('subsec') * 1000 AS INTEGER)), 1, 8),
      substr(printf('%012x', CAST(unixepoch('subsec') * 1000 AS INTEGER)), 9, 4),
      substr(lower(hex(randomblob(2))), 2),
      substr('89ab', abs(random() % 4) + 1, 1),
      substr(lower(hex(randomblob(2))), 2),
      lower(hex(randomblob(6))))),
  sku               TEXT NOT NULL REFERENCES product (sku),
  factory_id        TEXT NOT NULL REFERENCES factory (factory_id),
  quantity          INTEGER NOT NULL,
  status            TEXT NOT NULL DEFAULT 'planned',
  attempts          INTEGER NOT NULL DEFAULT 0,
  factory_job_id    TEXT,
  follows           TEXT REFERENCES production (production_id),
  planned_at_ms     INTEGER NOT NULL,
  requested_at_ms   INTEGER,
  due_at_ms         INTEGER,
  received_at_ms    INTEGER,
  received_quantity INTEGER,
  on_hand_after     INTEGER,        -- what the factory was answered, for repeated reports
  -- The levels that led to the request: "why so many?" is asked weeks later.
  because_on_hand       INTEGER NOT NULL,
  because_on_order      INTEGER NOT NULL,
  because_backordered   INTEGER NOT NULL,
  because_reorder_point INTEGER NOT NULL,
  because_order_up_to   INTEGER NOT NULL,
  CONSTRAINT a_request_is_for_something CHECK (quantity > 0),
  CONSTRAINT production_status_is_known CHECK (
    status IN ('planned', 'requested', 'overdue', 'received', 'failed', 'cancelled')),
  CONSTRAINT received_means_goods_came CHECK (
    (status = 'received') = (received_quantity IS NOT NULL AND received_at_ms IS NOT NULL)),
  CONSTRAINT something_came CHECK (received_quantity > 0)
) STRICT;

-- However many orders fail, a product has one open request. A failed one counts: asking again is an operator's decision.
CREATE UNIQUE INDEX IF NOT EXISTS one_open_production_per_product
  ON production (sku) WHERE status IN ('planned', 'requested', 'overdue', 'failed');
CREATE INDEX IF NOT EXISTS production_due ON production (status, due_at_ms) WHERE status = 'requested';
CREATE INDEX IF NOT EXISTS production_by_status ON production (status, production_id);
CREATE INDEX IF NOT EXISTS production_received ON production (sku, received_at_ms) WHERE status = 'received';

INSERT INTO queue (queue_id, ordered, lease_ms, in_flight_max, retention_ms)
VALUES ('replenishment', 1, 30000, 64, 604800000) ON CONFLICT DO NOTHING;
INSERT INTO subscription (topic, queue_id)
VALUES ('stock.low', 'replenishment'), ('stock.depleted', 'replenishment'), ('production.overdue', 'replenishment')
ON CONFLICT DO NOTHING;

-- The reorder rule. Whatever moves the position below the line opens the request, in the same write.
CREATE TRIGGER IF NOT EXISTS product_is_reordered
AFTER UPDATE OF on_hand, on_order, backordered, reorder_point, order_up_to ON product
WHEN NEW.on_hand + NEW.on_order - NEW.backordered <= NEW.reorder_point
 AND NOT EXISTS (SELECT 1 FROM production
                  WHERE sku = NEW.sku AND status IN ('planned', 'requested', 'overdue', 'failed'))
BEGIN
  INSERT INTO production (sku, factory_id, quantity, planned_at_ms, because_on_hand, because_on_order,
                          because_backordered, because_reorder_point, because_order_up_to)
  SELECT sku, factory_id, order_up_to - (on_hand + on_order - backordered), updated_at_ms, on_hand, on_order,
         backordered, reorder_point, order_up_to
    FROM product
   WHERE sku = NEW.sku
     AND on_hand + on_order - backordered <= reorder_point
     AND NOT EXISTS (SELECT 1 FROM production
                      WHERE sku = NEW.sku AND status IN ('planned', 'requested', 'overdue', 'failed'));
END;

CREATE TRIGGER IF NOT EXISTS production_is_announced AFTER INSERT ON production
BEGIN
  INSERT INTO event (type, subject, time_ms, data)
  SELECT CASE WHEN on_hand - backordered <= 0 AND depleted_since_ms IS NULL THEN 'stock.depleted' ELSE 'stock.low' END,
         sku, NEW.planned_at_ms,
         json_object('sku', sku, 'production_id', NEW.production_id, 'quantity', NEW.quantity,
                     'factory_id', NEW.factory_id, 'on_hand', on_hand, 'backordered', backordered)
    FROM product WHERE sku = NEW.sku;
  UPDATE product
     SET on_order = on_order + NEW.quantity,
         updated_at_ms = NEW.planned_at_ms,
         depleted_since_ms = CASE WHEN on_hand - backordered <= 0
                                  THEN coalesce(depleted_since_ms, NEW.planned_at_ms) ELSE depleted_since_ms END
   WHERE sku = NEW.sku;
END;

-- The shelf empties while goods are already on order. (Where none are, the request that opens announces it.)
CREATE TRIGGER IF NOT EXISTS product_is_depleted AFTER UPDATE OF on_hand, backordered ON product
WHEN NEW.on_hand - NEW.backordered <= 0 AND NEW.depleted_since_ms IS NULL
 AND EXISTS (SELECT 1 FROM production
              WHERE sku = NEW.sku AND status IN ('planned', 'requested', 'overdue', 'failed'))
BEGIN
  INSERT INTO event (type, subject, time_ms, data)
  SELECT 'stock.depleted', product.sku, product.updated_at_ms,
         json_object('sku', product.sku, 'production_id', production_id, 'quantity', quantity,
                     'factory_id', production.factory_id, 'on_hand', on_hand, 'backordered', backordered)
    FROM product JOIN production ON production.sku = product.sku
     AND production.status IN ('planned', 'requested', 'overdue', 'failed')
   WHERE product.sku = NEW.sku AND on_hand - backordered <= 0 AND depleted_since_ms IS NULL;
  UPDATE product SET depleted_since_ms = updated_at_ms
   WHERE sku = NEW.sku AND on_hand - backordered <= 0 AND depleted_since_ms IS NULL;
END;

-- Goods reach the shelf: waiting orders first, in the order they came, then the shop is open again.
--
-- An order can be filled when, for each of its lines, the shelf holds the units of that line and of every line that
-- waits before it. Filling one takes as much from the shelf as from the sums behind it, so the answer for
-- the others stays the same and one pass fills all that can be filled; nobody overtakes.
CREATE TRIGGER IF NOT EXISTS product_gets_goods AFTER UPDATE OF on_hand ON product WHEN NEW.on_hand > OLD.on_hand
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
  INSERT INTO event (type, subject, time_ms, data)
  SELECT 'stock.replenished', sku, NEW.updated_at_ms,
         json_object('sku', sku, 'on_hand', on_hand, 'backordered', backordered, 'depleted_since_ms', depleted_since_ms)
    FROM product WHERE sku = NEW.sku AND on_hand - backordered > 0 AND depleted_since_ms IS NOT NULL;
  UPDATE product SET depleted_since_ms = NULL
   WHERE sku = NEW.sku AND on_hand - backordered > 0 AND depleted_since_ms IS NOT NULL;
END;

-- Goods come, once. A missing rest becomes a request of its own before the movement takes it off the units on order, so the
-- position never dips in between.
CREATE TRIGGER IF NOT EXISTS production_is_received AFTER UPDATE OF status ON production
WHEN OLD.status <> 'received' AND NEW.status = 'received'
BEGIN
  INSERT INTO production (sku, factory_id, quantity, follows, planned_at_ms, because_on_hand, because_on_order,
                          because_backordered, because_reorder_point, because_order_up_to)
  SELECT sku, factory_id, NEW.quantity - NEW.received_quantity, NEW.production_id, NEW.received_at_ms, on_hand,
         on_order, backordered, reorder_point, order_up_to
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

CREATE TRIGGER IF NOT EXISTS production_is_overdue AFTER UPDATE OF status ON production
WHEN OLD.status = 'requested' AND NEW.status = 'overdue'
BEGIN
  INSERT INTO event (type, subject, time_ms, data)
  VALUES ('production.overdue', NEW.sku, NEW.due_at_ms, json_object(
    'sku', NEW.sku, 'production_id', NEW.production_id, 'quantity', NEW.quantity, 'factory_id', NEW.factory_id,
    'attempts', NEW.attempts));
END;

-- A request lives and dies with the message that carries it.
CREATE TRIGGER IF NOT EXISTS buried_message_fails_its_production AFTER UPDATE OF state ON message
WHEN NEW.queue_id = 'replenishment' AND NEW.state = 'buried'
BEGIN
  UPDATE production SET status = 'failed'
   WHERE status IN ('planned', 'overdue')
     AND production_id = (SELECT data ->> 'production_id' FROM event WHERE event_id = NEW.event_id);
END;

CREATE TRIGGER IF NOT EXISTS redriven_message_plans_its_production AFTER UPDATE OF state ON message
WHEN NEW.queue_id = 'replenishment' AND OLD.state = 'buried' AND NEW.state = 'ready'
BEGIN
  UPDATE production SET status = 'planned'
   WHERE status = 'failed'
     AND production_id = (SELECT data ->> 'production_id' FROM event WHERE event_id = NEW.event_id);
END;

CREATE TRIGGER IF NOT EXISTS purged_message_cancels_its_production AFTER UPDATE OF state ON message
WHEN NEW.queue_id = 'replenishment' AND NEW.state = 'purged'
BEGIN
  UPDATE production SET status = 'cancelled'
   WHERE status = 'failed'
     AND production_id = (SELECT data ->> 'production_id' FROM event WHERE event_id = NEW.event_id);
END;

CREATE TRIGGER IF NOT EXISTS failed_production_brings_nothing AFTER UPDATE OF status ON production
WHEN NEW.status = 'failed' AND OLD.status IN ('planned', 'overdue')
BEGIN
  UPDATE product SET on_order = on_order - NEW.quantity WHERE sku = NEW.sku;
END;

CREATE TRIGGER IF NOT EXISTS replanned_production_brings_goods AFTER UPDATE OF status ON production
WHEN OLD.status = 'failed' AND NEW.status IN ('planned', 'requested')
BEGIN
  UPDATE product SET on_order = on_order + NEW.quantity WHERE sku = NEW.sku;
END;

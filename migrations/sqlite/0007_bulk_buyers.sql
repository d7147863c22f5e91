-- What each customer bought, and the event that makes a VIP.
--
-- Safe beside older code: a new table, columns that may be null, and triggers that older code does not know it fires.
-- Orders of older code carry no rule and publish nothing, but they count.

ALTER TABLE sales_order ADD COLUMN units INTEGER;         -- all items together; NULL: an order of older code
ALTER TABLE sales_order ADD COLUMN vip_rule TEXT;
ALTER TABLE sales_order ADD COLUMN vip_units INTEGER;

CREATE TABLE IF NOT EXISTS buyer (
  customer_id   TEXT PRIMARY KEY,
  email         TEXT,
  name          TEXT,
  orders        INTEGER NOT NULL,            -- accepted ones
  units_bought  INTEGER NOT NULL,
  bulk_orders   INTEGER NOT NULL DEFAULT 0,  -- how often the rule was met and told
  bulk_order_id TEXT,                        -- by which order last
  bulk_at_ms    INTEGER,                     -- since when
  CONSTRAINT a_buyer_bought_something CHECK (orders > 0 AND units_bought > 0),
  CONSTRAINT what_was_told_has_its_order CHECK (
    (bulk_orders > 0) = (bulk_order_id IS NOT NULL AND bulk_at_ms IS NOT NULL))
) STRICT, WITHOUT ROWID;

INSERT INTO buyer (customer_id, email, name, orders, units_bought)
SELECT customer_id, max(customer_email), max(customer_name), count(*), sum(units)
  FROM (SELECT customer_id, customer_email, customer_name,
               (SELECT sum(value ->> 'quantity') FROM json_each(sales_order.items)) AS units
          FROM sales_order WHERE status = 'accepted')
 WHERE NOT EXISTS (SELECT 1 FROM buyer)
 GROUP BY customer_id;

INSERT INTO queue (queue_id, ordered, lease_ms, in_flight_max, retention_ms)
VALUES ('loyalty', 1, 30000, 64, 604800000) ON CONFLICT DO NOTHING;
INSERT INTO subscription (topic, queue_id) VALUES ('order.bulk', 'loyalty') ON CONFLICT DO NOTHING;

-- A procedure in the only form that SQLite has: what happens when an order is accepted, at once or as a filled backorder.
-- Nothing reads the view.
CREATE VIEW IF NOT EXISTS accepted_order (
  sales_order_id, customer_id, customer_email, customer_name, units, vip_rule, vip_units, accepted_at_ms) AS
SELECT sales_order_id, customer_id, customer_email, customer_name, units, vip_rule, vip_units,
       coalesce(filled_at_ms, placed_at_ms)
  FROM sales_order WHERE status = 'accepted';

-- Under the rule `single-order` every order of so many units is told; under `cumulative` the customer is, once. Most orders meet
-- neither, and an update that finds no row costs less than an insert from a SELECT that finds none.
CREATE TRIGGER IF NOT EXISTS accepted_order_counts_for_its_buyer INSTEAD OF INSERT ON accepted_order
BEGIN
  INSERT INTO buyer (customer_id, email, name, orders, units_bought)
  VALUES (NEW.customer_id, NEW.customer_email, NEW.customer_name, 1, NEW.units)
  ON CONFLICT (customer_id) DO UPDATE
     SET email = coalesce(excluded.email, email),
         name = coalesce(excluded.name, name),
         orders = orders + 1,
         units_bought = units_bought + excluded.units_bought;
  UPDATE buyer
     SET bulk_orders = bulk_orders + 1,
         bulk_order_id = NEW.sales_order_id,
         bulk_at_ms = coalesce(bulk_at_ms, NEW.accepted_at_ms)
   WHERE customer_id = NEW.customer_id
     AND (NEW.vip_rule = 'single-order' AND NEW.units >= NEW.vip_units
          OR NEW.vip_rule = 'cumulative' AND units_bought >= NEW.vip_units AND bulk_orders = 0);
END;

CREATE TRIGGER IF NOT EXISTS bulk_order_is_an_event AFTER UPDATE OF bulk_orders ON buyer
WHEN NEW.bulk_orders > OLD.bulk_orders
BEGIN
  INSERT INTO event (type, subject, time_ms, data)
  SELECT 'order.bulk', NEW.customer_id, coalesce(filled_at_ms, placed_at_ms),
         json_object('order_id', sales_order_id, 'customer_id', NEW.customer_id, 'email', NEW.email,
                     'name', NEW.name, 'units', units, 'units_bought', NEW.units_bought, 'vip_rule', vip_rule,
                     'vip_units', vip_units)
    FROM sales_order WHERE sales_order_id = NEW.bulk_order_id;
END;

CREATE TRIGGER IF NOT EXISTS order_is_accepted_at_once AFTER INSERT ON sales_order WHEN NEW.status = 'accepted'
BEGIN
  INSERT INTO accepted_order
  VALUES (NEW.sales_order_id, NEW.customer_id, NEW.customer_email, NEW.customer_name,
          coalesce(NEW.units, (SELECT sum(value ->> 'quantity') FROM json_each(NEW.items))),
          NEW.vip_rule, NEW.vip_units, NEW.placed_at_ms);
END;

CREATE TRIGGER IF NOT EXISTS backorder_is_accepted AFTER UPDATE OF status ON sales_order
WHEN OLD.status = 'backordered' AND NEW.status = 'accepted'
BEGIN
  INSERT INTO accepted_order
  VALUES (NEW.sales_order_id, NEW.customer_id, NEW.customer_email, NEW.customer_name,
          coalesce(NEW.units, (SELECT sum(value ->> 'quantity') FROM json_each(NEW.items))),
          NEW.vip_rule, NEW.vip_units, NEW.filled_at_ms);
END;

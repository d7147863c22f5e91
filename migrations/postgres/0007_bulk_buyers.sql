-- What each customer bought, and the event that makes a VIP.
--
-- Safe beside older code: a new table, columns that may be null, and triggers that older code does not know it fires. The pair of
-- migrations/sqlite/0007_bulk_buyers.sql. Orders of older code carry no rule and publish nothing, but they count.
--
-- Locks: the buyers come behind products and orders. Goods can fill orders of many customers at once, two deliveries those of
-- the same customers in another order of time: so filled orders are counted statement by statement, by customer, not row by
-- row.

ALTER TABLE sales_order ADD COLUMN IF NOT EXISTS units bigint;    -- all items together; NULL: an order of older code
ALTER TABLE sales_order ADD COLUMN IF NOT EXISTS vip_rule text;
ALTER TABLE sales_order ADD COLUMN IF NOT EXISTS vip_units bigint;

CREATE TABLE IF NOT EXISTS buyer (
  customer_id   text COLLATE "C" PRIMARY KEY,
  email         text,
  name          text,
  orders        bigint NOT NULL,             -- accepted ones
  units_bought  bigint NOT NULL,
  bulk_orders   bigint NOT NULL DEFAULT 0,   -- how often the rule was met and told
  bulk_order_id text COLLATE "C",            -- by which order last
  bulk_at_ms    bigint,                      -- since when
  CONSTRAINT a_buyer_bought_something CHECK (orders > 0 AND units_bought > 0),
  CONSTRAINT what_was_told_has_its_order CHECK (
    (bulk_orders > 0) = (bulk_order_id IS NOT NULL AND bulk_at_ms IS NOT NULL))
) WITH (fillfactor = 80);

INSERT INTO buyer (customer_id, email, name, orders, units_bought)
SELECT customer_id, max(customer_email), max(customer_name), count(*), sum(units)
  FROM (SELECT customer_id, customer_email, customer_name,
               (SELECT sum(CAST(value ->> 'quantity' AS bigint))
                  FROM jsonb_array_elements(sales_order.items) AS item (value)) AS units
          FROM sales_order WHERE status = 'accepted') AS accepted
 WHERE NOT EXISTS (SELECT 1 FROM buyer)
 GROUP BY customer_id
 ORDER BY customer_id;

INSERT INTO queue (queue_id, ordered, lease_ms, in_flight_max, retention_ms)
VALUES ('loyalty', true, 30000, 64, 604800000) ON CONFLICT DO NOTHING;
INSERT INTO subscription (topic, queue_id) VALUES ('order.bulk', 'loyalty') ON CONFLICT DO NOTHING;

-- What happens when an order is accepted, at once or as a filled backorder. (In SQLite this is a trigger on a view.)
--
-- Under the rule `single-order` every order of so many units is told; under `cumulative` the customer is, once. Most orders meet
-- neither.
CREATE OR REPLACE FUNCTION accepted_order_counts_for_its_buyer(p_order sales_order) RETURNS void
LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
DECLARE
  v_units bigint := coalesce(p_order.units, (SELECT sum(CAST(value ->> 'quantity' AS bigint))
                                               FROM jsonb_array_elements(p_order.items) AS item (value)));
  v_buyer buyer;
BEGIN
  INSERT INTO buyer (customer_id, email, name, orders, units_bought)
  VALUES (p_order.customer_id, p_order.customer_email, p_order.customer_name, 1, v_units)
  ON CONFLICT (customer_id) DO UPDATE
     SET email = coalesce(excluded.email, buyer.email),
         name = coalesce(excluded.name, buyer.name),
         orders = buyer.orders + 1,
         units_bought = buyer.units_bought + excluded.units_bought
  RETURNING * INTO v_buyer;
  IF p_order.vip_rule = 'single-order' AND v_units >= p_order.vip_units
     OR p_order.vip_rule = 'cumulative' AND v_buyer.units_bought >= p_order.vip_units AND v_buyer.bulk_orders = 0 THEN
    UPDATE buyer
       SET bulk_orders = bulk_orders + 1,
           bulk_order_id = p_order.sales_order_id,
           bulk_at_ms = coalesce(bulk_at_ms, p_order.filled_at_ms, p_order.placed_at_ms)
     WHERE customer_id = p_order.customer_id;
  END IF;
END
$$;

CREATE OR REPLACE FUNCTION bulk_order_is_an_event() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
BEGIN
  INSERT INTO event (type, subject, time_ms, data)
  SELECT 'order.bulk', NEW.customer_id, coalesce(filled_at_ms, placed_at_ms),
         jsonb_build_object('order_id', sales_order_id, 'customer_id', NEW.customer_id, 'email', NEW.email,
                            'name', NEW.name, 'units', units, 'units_bought', NEW.units_bought, 'vip_rule', vip_rule,
                            'vip_units', vip_units)
    FROM sales_order WHERE sales_order_id = NEW.bulk_order_id;
  RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER bulk_order_is_an_event AFTER UPDATE OF bulk_orders ON buyer
FOR EACH ROW WHEN (NEW.bulk_orders > OLD.bulk_orders)
EXECUTE FUNCTION bulk_order_is_an_event();

CREATE OR REPLACE FUNCTION order_is_accepted_at_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM accepted_order_counts_for_its_buyer(NEW);
  RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER order_is_accepted_at_once AFTER INSERT ON sales_order
FOR EACH ROW WHEN (NEW.status = 'accepted')
EXECUTE FUNCTION order_is_accepted_at_once();

CREATE OR REPLACE FUNCTION backorder_is_accepted() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
DECLARE
  v_filled sales_order;
BEGIN
  FOR v_filled IN
    SELECT filled.*
      FROM filled JOIN waiting ON waiting.sequence = filled.sequence
     WHERE waiting.status = 'backordered' AND filled.status = 'accepted'
     ORDER BY filled.customer_id, filled.sequence
  LOOP
    PERFORM accepted_order_counts_for_its_buyer(v_filled);
  END LOOP;
  RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER backorder_is_accepted AFTER UPDATE ON sales_order
REFERENCING OLD TABLE AS waiting NEW TABLE AS filled
FOR EACH STATEMENT EXECUTE FUNCTION backorder_is_accepted();

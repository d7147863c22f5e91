-- Customers who bought in bulk, in a database of their own: what is known of people is kept apart from the shop's stock.
--
-- Safe beside older code: there is none.
--
-- The insert of a purchase is the promotion. Its key is the order, so a message that is delivered a thousand times promotes once.

CREATE TABLE IF NOT EXISTS customer (
  customer_id     TEXT PRIMARY KEY,
  email           TEXT,
  name            TEXT,
  kind            TEXT NOT NULL DEFAULT 'normal',
  units_bought    INTEGER NOT NULL,
  vip_order_id    TEXT,                     -- the order that made the VIP; part of the announcement's id
  vip_since_ms    INTEGER,
  announced_at_ms INTEGER,                  -- when the marketing system took the news
  CONSTRAINT kind_is_known CHECK (kind IN ('normal', 'vip')),
  CONSTRAINT a_vip_became_one CHECK ((kind = 'vip') = (vip_since_ms IS NOT NULL AND vip_order_id IS NOT NULL)),
  CONSTRAINT only_a_vip_is_announced CHECK (announced_at_ms IS NULL OR kind = 'vip')
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX IF NOT EXISTS customer_by_vip_order ON customer (vip_order_id) WHERE vip_order_id IS NOT NULL;

CREATE TABLE IF NOT EXISTS purchase (
  sales_order_id  TEXT PRIMARY KEY,
  customer_id     TEXT NOT NULL,
  email           TEXT,
  name            TEXT,
  units           INTEGER NOT NULL,
  units_bought    INTEGER NOT NULL,
  purchased_at_ms INTEGER NOT NULL,
  recorded_at_ms  INTEGER NOT NULL,
  deliveries      INTEGER NOT NULL DEFAULT 1,
  CONSTRAINT a_purchase_is_of_something CHECK (units > 0 AND units_bought >= units)
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS purchase_by_customer ON purchase (customer_id, purchased_at_ms);

CREATE TRIGGER IF NOT EXISTS purchase_promotes_its_customer AFTER INSERT ON purchase
BEGIN
  INSERT INTO customer (customer_id, email, name, units_bought)
  VALUES (NEW.customer_id, NEW.email, NEW.name, NEW.units_bought)
  ON CONFLICT (customer_id) DO UPDATE
     SET email = coalesce(excluded.email, email),
         name = coalesce(excluded.name, name),
         -- Messages may overtake each other; a total only grows.
         units_bought = max(units_bought, excluded.units_bought);
  UPDATE customer
     SET kind = 'vip', vip_order_id = NEW.sales_order_id, vip_since_ms = NEW.recorded_at_ms
   WHERE customer_id = NEW.customer_id AND kind = 'normal';
END;

CREATE TRIGGER IF NOT EXISTS a_vip_stays_one BEFORE UPDATE OF kind, vip_order_id, vip_since_ms ON customer
WHEN OLD.kind = 'vip'
 AND (NEW.kind <> 'vip' OR NEW.vip_order_id <> OLD.vip_order_id OR NEW.vip_since_ms <> OLD.vip_since_ms)
BEGIN
  SELECT RAISE(ABORT, 'a VIP stays one, since when they became one');
END;

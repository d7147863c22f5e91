-- Customers who bought in bulk, in a database of their own: what is known of people is kept apart from the shop's stock.
--
-- Safe beside older code: there is none. The pair of migrations/sqlite/customers/0001_customers.sql.
--
-- The insert of a purchase is the promotion. Its key is the order, so a message that is delivered a thousand times promotes once.
-- Locks: the purchase, then its customer. Nobody takes two of either.

CREATE TABLE IF NOT EXISTS customer (
  customer_id     text PRIMARY KEY,
  email           text,
  name            text,
  kind            text NOT NULL DEFAULT 'normal',
  units_bought    bigint NOT NULL,
  vip_order_id    text,                     -- the order that made the VIP; part of the announcement's id
  vip_since_ms    bigint,
  announced_at_ms bigint,                   -- when the marketing system took the news
  CONSTRAINT kind_is_known CHECK (kind IN ('normal', 'vip')),
  CONSTRAINT a_vip_became_one CHECK ((kind = 'vip') = (vip_since_ms IS NOT NULL AND vip_order_id IS NOT NULL)),
  CONSTRAINT only_a_vip_is_announced CHECK (announced_at_ms IS NULL OR kind = 'vip')
);

CREATE UNIQUE INDEX IF NOT EXISTS customer_by_vip_order ON customer (vip_order_id) WHERE vip_order_id IS NOT NULL;

CREATE TABLE IF NOT EXISTS purchase (
  sales_order_id  text PRIMARY KEY,
  customer_id     text NOT NULL,
  email           text,
  name            text,
  units           bigint NOT NULL,
  units_bought    bigint NOT NULL,
  purchased_at_ms bigint NOT NULL,
  recorded_at_ms  bigint NOT NULL,
  deliveries      bigint NOT NULL DEFAULT 1,
  CONSTRAINT a_purchase_is_of_something CHECK (units > 0 AND units_bought >= units)
);

CREATE INDEX IF NOT EXISTS purchase_by_customer ON purchase (customer_id, purchased_at_ms);

CREATE OR REPLACE FUNCTION purchase_promotes_its_customer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO customer (customer_id, email, name, units_bought)
  VALUES (NEW.customer_id, NEW.email, NEW.name, NEW.units_bought)
  ON CONFLICT (customer_id) DO UPDATE
     SET email = coalesce(excluded.email, customer.email),
         name = coalesce(excluded.name, customer.name),
         -- Messages may overtake each other; a total only grows.
         units_bought = greatest(customer.units_bought, excluded.units_bought);
  UPDATE customer
     SET kind = 'vip', vip_order_id = NEW.sales_order_id, vip_since_ms = NEW.recorded_at_ms
   WHERE customer_id = NEW.customer_id AND kind = 'normal';
  RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER purchase_promotes_its_customer AFTER INSERT ON purchase
FOR EACH ROW EXECUTE FUNCTION purchase_promotes_its_customer();

CREATE OR REPLACE FUNCTION a_vip_stays_one() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a VIP stays one, since when they became one' USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE OR REPLACE TRIGGER a_vip_stays_one BEFORE UPDATE OF kind, vip_order_id, vip_since_ms ON customer
FOR EACH ROW WHEN (OLD.kind = 'vip' AND (NEW.kind <> 'vip' OR NEW.vip_order_id IS DISTINCT FROM OLD.vip_order_id
                                         OR NEW.vip_since_ms IS DISTINCT FROM OLD.vip_since_ms))
EXECUTE FUNCTION a_vip_stays_one();

-- Records a purchase, once, and reads its customer as that leaves them: an answer needs both, and a statement does not see what
-- its own triggers did.
CREATE OR REPLACE FUNCTION restock_purchase_insert(
  p_sales_order_id text, p_customer_id text, p_email text, p_name text, p_units bigint, p_units_bought bigint,
  p_purchased_at_ms bigint, p_now bigint)
RETURNS TABLE (fresh boolean, customer_id text, email text, name text, kind text, units_bought bigint, vip_since_ms bigint,
               announced_at_ms bigint, vip_order_id text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_fresh boolean;
BEGIN
  INSERT INTO purchase (sales_order_id, customer_id, email, name, units, units_bought, purchased_at_ms, recorded_at_ms)
  VALUES (p_sales_order_id, p_customer_id, p_email, p_name, p_units, p_units_bought, p_purchased_at_ms, p_now)
  ON CONFLICT (sales_order_id) DO UPDATE SET deliveries = purchase.deliveries + 1
  RETURNING deliveries = 1 INTO v_fresh;
  RETURN QUERY
    SELECT v_fresh, c.customer_id, c.email, c.name, c.kind, c.units_bought, c.vip_since_ms, c.announced_at_ms, c.vip_order_id
      FROM (SELECT 1) AS one LEFT JOIN customer AS c ON c.customer_id = p_customer_id;
END
$$;

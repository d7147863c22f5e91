-- Returns: what the logistics partner lists, what it says of each parcel, and the goods that go back on the shelf.
--
-- Safe beside older code: new tables, columns that may be null, and triggers that older code does not know it fires. Two triggers
-- are replaced by ones that know one more kind of incident.
--
-- A return lives by its messages: the one that follows the parcel is published when it is first seen, the one that reports it when
-- the partner first said `delivered`. Both are published by the write that makes the step, once.

CREATE TABLE IF NOT EXISTS return_collection (
  return_collection_seq INTEGER PRIMARY KEY,
  return_collection_id  TEXT NOT NULL UNIQUE DEFAULT (
    printf('%s-%s-7%s-%s%s-%s',
      substr(printf('%012x', CAST(unixepoch('subsec') * 1000 AS INTEGER)), 1, 8),
      substr(printf('%012x', CAST(unixepoch('subsec') * 1000 AS INTEGER)), 9, 4),
      substr(lower(hex(randomblob(2))), 2),
      substr('89ab', abs(random() % 4) + 1, 1),
      substr(lower(hex(randomblob(2))), 2),
      lower(hex(randomblob(6))))),
  progress       TEXT NOT NULL DEFAULT 'running',
  began_at_ms    INTEGER NOT NULL,
  finished_at_ms INTEGER,
  listed         INTEGER NOT NULL DEFAULT 0,
  fresh          INTEGER NOT NULL DEFAULT 0,
  rejected       INTEGER NOT NULL DEFAULT 0,
  delivered      INTEGER NOT NULL DEFAULT 0,
  reported       INTEGER NOT NULL DEFAULT 0,
  failed         INTEGER NOT NULL DEFAULT 0,
  CONSTRAINT progress_is_known CHECK (progress IN ('running', 'finished', 'failed')),
  CONSTRAINT a_finished_collection_has_its_moment CHECK ((progress = 'finished') = (finished_at_ms IS NOT NULL))
) STRICT;

-- No overlap, whoever begins it.
CREATE UNIQUE INDEX IF NOT EXISTS one_collection_at_a_time
  ON return_collection (progress) WHERE progress = 'running';
CREATE INDEX IF NOT EXISTS return_collection_finished
  ON return_collection (finished_at_ms) WHERE finished_at_ms IS NOT NULL;
CREATE INDEX IF NOT EXISTS return_collection_by_time ON return_collection (began_at_ms);

CREATE TABLE IF NOT EXISTS sales_return (
  sales_return_seq      INTEGER PRIMARY KEY,
  sales_return_id       TEXT NOT NULL UNIQUE DEFAULT (
    printf('%s-%s-7%s-%s%s-%s',
      substr(printf('%012x', CAST(unixepoch('subsec') * 1000 AS INTEGER)), 1, 8),
      substr(printf('%012x', CAST(unixepoch('subsec') * 1000 AS INTEGER)), 9, 4),
      substr(lower(hex(randomblob(2))), 2),
      substr('89ab', abs(random() % 4) + 1, 1),
      substr(lower(hex(randomblob(2))), 2),
      lower(hex(randomblob(6))))),
  order_number          TEXT NOT NULL,
  order_item_number     TEXT NOT NULL,
  shipment_number       TEXT NOT NULL,
  other_shipment_number TEXT,               -- with which it was listed as well, last
  partner_ref           TEXT,
  other_collection_id   TEXT,               -- that saw the other number last
  other_at_ms           INTEGER,
  return_collection_id  TEXT,               -- that first saw it; NULL: an operator began it
  status                TEXT NOT NULL DEFAULT 'collected',
  goods                 TEXT NOT NULL DEFAULT 'pending',
  sku                   TEXT REFERENCES product (sku),  -- of the goods that were received
  quantity              INTEGER,
  heard                 TEXT NOT NULL DEFAULT '[]',     -- JSON: the statuses of the last answer, oldest first
  trackings             INTEGER NOT NULL DEFAULT 0,
  to_stock              TEXT,               -- the shop's rule when it was reported
  operator              TEXT NOT NULL DEFAULT '',       -- who settled what becomes of the goods
  reason                TEXT NOT NULL DEFAULT '',
  collected_at_ms       INTEGER NOT NULL,
  tracked_at_ms         INTEGER,
  unknown_since_ms      INTEGER,
  delivered_at_ms       INTEGER,
  reported_at_ms        INTEGER,
  settled_at_ms         INTEGER,
  renumbered            INTEGER NOT NULL DEFAULT 0,     -- 1: it got another shipment number while a worker asked for the old one
  given_up_at_ms        INTEGER,            -- when an operator purged the message of its next step; NULL: one carries it
  UNIQUE (order_number, order_item_number),
  CONSTRAINT status_is_known CHECK (status IN ('collected', 'delivered', 'reported')),
  CONSTRAINT goods_are_known CHECK (goods IN ('pending', 'not-ours', 'left', 'waiting', 'received', 'discarded')),
  CONSTRAINT goods_wait_for_the_report CHECK ((goods = 'pending') = (status <> 'reported')),
  CONSTRAINT each_step_has_its_moment CHECK (
    (delivered_at_ms IS NULL) = (status = 'collected') AND (reported_at_ms IS NULL) = (status <> 'reported')),
  CONSTRAINT received_goods_are_so_many_of_a_product CHECK (
    (goods = 'received') = (sku IS NOT NULL AND quantity IS NOT NULL)),
  CONSTRAINT something_was_received CHECK (quantity > 0),
  CONSTRAINT settled_goods_have_their_moment CHECK ((goods IN ('received', 'discarded')) = (settled_at_ms IS NOT NULL)),
  CONSTRAINT to_stock_is_known CHECK (to_stock IN ('on', 'off', 'ask')),
  CONSTRAINT heard_is_json CHECK (json_valid(heard))
) STRICT;

CREATE INDEX IF NOT EXISTS sales_return_by_status ON sales_return (status, sales_return_seq);
CREATE INDEX IF NOT EXISTS sales_return_by_goods ON sales_return (goods, sales_return_seq);
CREATE INDEX IF NOT EXISTS sales_return_by_shipment ON sales_return (shipment_number, sales_return_seq);
CREATE INDEX IF NOT EXISTS sales_return_by_collection ON sales_return (return_collection_id);
-- How much of an order is back.
CREATE INDEX IF NOT EXISTS sales_return_received
  ON sales_return (order_number, sku, quantity) WHERE sku IS NOT NULL;
CREATE INDEX IF NOT EXISTS sales_return_delivered
  ON sales_return (delivered_at_ms) WHERE delivered_at_ms IS NOT NULL;
CREATE INDEX IF NOT EXISTS sales_return_reported
  ON sales_return (reported_at_ms) WHERE reported_at_ms IS NOT NULL;

-- Every status that the partner ever sent of a return.
CREATE TABLE IF NOT EXISTS return_sighting (
  sales_return_seq INTEGER NOT NULL REFERENCES sales_return (sales_return_seq) ON DELETE CASCADE,
  status           TEXT NOT NULL,
  place            INTEGER NOT NULL,        -- in the order in which they first came
  first_at_ms      INTEGER NOT NULL,
  last_at_ms       INTEGER NOT NULL,
  times            INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (sales_return_seq, status)
) STRICT, WITHOUT ROWID;

-- Records of the list that nothing can be done with. The same record, list after list, is one row.
CREATE TABLE IF NOT EXISTS return_reject (
  return_reject_seq    INTEGER PRIMARY KEY,
  return_collection_id TEXT NOT NULL,       -- that first saw it
  last_collection_id   TEXT NOT NULL,
  reason               TEXT NOT NULL,
  record               TEXT NOT NULL,
  first_at_ms          INTEGER NOT NULL,
  last_at_ms           INTEGER NOT NULL,
  times                INTEGER NOT NULL DEFAULT 1,
  UNIQUE (reason, record),
  CONSTRAINT a_record_fits_a_row CHECK (length(record) <= 4096)
) STRICT;

CREATE INDEX IF NOT EXISTS return_reject_by_collection ON return_reject (return_collection_id);
CREATE INDEX IF NOT EXISTS return_reject_by_time ON return_reject (last_at_ms);

-- An operator's word that a parcel is to be followed now. The insert is the action, as for `operation`.
CREATE TABLE IF NOT EXISTS return_replay (
  return_replay_seq INTEGER PRIMARY KEY,
  order_number      TEXT NOT NULL,
  order_item_number TEXT NOT NULL,
  shipment_number   TEXT NOT NULL,
  partner_ref       TEXT,
  outcome           TEXT NOT NULL,
  operator          TEXT NOT NULL,
  at_ms             INTEGER NOT NULL,
  CONSTRAINT outcome_is_known CHECK (outcome IN ('begun', 'resumed'))
) STRICT;

ALTER TABLE stock_movement ADD COLUMN sales_return_id TEXT;
-- Goods come back once, whatever else goes wrong.
CREATE UNIQUE INDEX IF NOT EXISTS one_movement_per_return
  ON stock_movement (sales_return_id) WHERE sales_return_id IS NOT NULL;

INSERT INTO queue (queue_id, ordered, lease_ms, in_flight_max, retention_ms)
VALUES ('returns', 1, 30000, 128, 604800000) ON CONFLICT DO NOTHING;
INSERT INTO subscription (topic, queue_id)
VALUES ('returns.due', 'returns'), ('return.collected', 'returns'), ('return.delivered', 'returns'),
       ('returns.failed', 'alerts')
ON CONFLICT DO NOTHING;
-- A replay looks for the dead letter of one return.
CREATE INDEX IF NOT EXISTS message_buried_by_subject ON message (queue_id, subject, message_seq) WHERE state = 'buried';

-- At hundreds of calls a second, a few failures in a row are no outage.
INSERT INTO partner (partner_id, failures_max, open_ms, open_ms_max)
VALUES ('logistics', 10, 2000, 30000) ON CONFLICT DO NOTHING;

-- A partner that says when it wants to be called again is left alone by everybody until then, but not for ever.
ALTER TABLE partner_pass ADD COLUMN busy_until_ms INTEGER;

CREATE TRIGGER IF NOT EXISTS busy_partner_is_left_alone AFTER UPDATE OF health ON partner_pass
WHEN NEW.busy_until_ms IS NOT NULL
BEGIN
  UPDATE partner SET next_slot_us = max(next_slot_us, 1000 * min(NEW.busy_until_ms, NEW.left_at_ms + 300000))
   WHERE partner_id = NEW.partner_id;
END;

-- What was sold under the numbers of a return, and how much of it is not back yet: an order is known by its id or by the key it
-- was placed under, an item by its SKU or by its place in the order, from 1. Where several fit, the one of the lowest rank is
-- meant. Read it for one return at a time.
CREATE VIEW IF NOT EXISTS return_item (sales_return_seq, sku, quantity, rank) AS
SELECT mine.sales_return_seq, line.sku,
       line.quantity - (SELECT coalesce(sum(other.quantity), 0) FROM sales_return AS other
                         WHERE other.order_number IN (sold.sales_order_id, sold.idempotency_key)
                           AND other.sku = line.sku),
       2 * (line.sku <> mine.order_item_number) + (sold.sales_order_id <> mine.order_number)
  FROM sales_return AS mine
  JOIN sales_order AS sold
    ON sold.sales_order_id = mine.order_number OR sold.idempotency_key = mine.order_number
  JOIN sales_order_line AS line ON line.sequence = sold.sequence AND line.state = 'sold'
 WHERE line.sku = mine.order_item_number
    OR line.sku = (SELECT value ->> 'sku' FROM json_each(sold.items)
                    WHERE CAST(key + 1 AS TEXT) = mine.order_item_number);

CREATE TRIGGER IF NOT EXISTS collection_is_due AFTER INSERT ON return_collection
BEGIN
  INSERT INTO event (type, subject, time_ms, data)
  VALUES ('returns.due', 'collection', NEW.began_at_ms, json_object('collection_id', NEW.return_collection_id));
END;

CREATE TRIGGER IF NOT EXISTS collection_ends_with_its_message AFTER UPDATE OF state ON message
WHEN NEW.queue_id = 'returns' AND NEW.subject = 'collection' AND NEW.state IN ('buried', 'purged')
BEGIN
  UPDATE return_collection SET progress = 'failed'
   WHERE progress = 'running'
     AND return_collection_id = (SELECT data ->> 'collection_id' FROM event WHERE event_id = NEW.event_id);
END;

CREATE TRIGGER IF NOT EXISTS collection_with_failures_is_told AFTER UPDATE OF progress ON return_collection
WHEN OLD.progress <> 'finished' AND NEW.progress = 'finished' AND NEW.failed > 0
BEGIN
  INSERT INTO event (type, subject, time_ms, data)
  VALUES ('returns.failed', 'collection', NEW.finished_at_ms, json_object('collection_id', NEW.return_collection_id));
END;

CREATE TRIGGER IF NOT EXISTS return_is_followed AFTER INSERT ON sales_return
BEGIN
  INSERT INTO event (type, subject, time_ms, data)
  VALUES ('return.collected', NEW.sales_return_id, NEW.collected_at_ms, json_object(
    'return_id', NEW.sales_return_id, 'order_number', NEW.order_number, 'order_item_number', NEW.order_item_number,
    'shipment_number', NEW.shipment_number));
END;

-- Which of two numbers is right, nobody but a person can say.
CREATE TRIGGER IF NOT EXISTS return_with_two_shipments_is_set_aside AFTER UPDATE OF other_shipment_number ON sales_return
BEGIN
  INSERT INTO return_reject (return_collection_id, last_collection_id, reason, record, first_at_ms, last_at_ms)
  VALUES (NEW.other_collection_id, NEW.other_collection_id, 'shipment-differs',
          substr(json_object('order_number', NEW.order_number, 'order_item_number', NEW.order_item_number,
                             'shipment_number', NEW.other_shipment_number, 'known_as', NEW.shipment_number), 1, 4096),
          NEW.other_at_ms, NEW.other_at_ms)
  ON CONFLICT (reason, record) DO UPDATE
     SET times = times + (last_collection_id <> excluded.last_collection_id),
         last_collection_id = excluded.last_collection_id,
         last_at_ms = max(last_at_ms, excluded.last_at_ms);
END;

-- A parcel is looked for for weeks, and a call fails now and then: whoever got an answer starts over, and the verdict that looks
-- again later takes that one attempt back.
CREATE TRIGGER IF NOT EXISTS tracked_return_is_seen AFTER UPDATE OF trackings ON sales_return
BEGIN
  UPDATE return_sighting SET last_at_ms = NEW.tracked_at_ms, times = times + 1
   WHERE sales_return_seq = NEW.sales_return_seq AND status IN (SELECT value FROM json_each(NEW.heard));
  INSERT INTO return_sighting (sales_return_seq, status, place, first_at_ms, last_at_ms)
  SELECT NEW.sales_return_seq, status, known + key, NEW.tracked_at_ms, NEW.tracked_at_ms
    FROM (SELECT value AS status, min(key) AS key FROM json_each(NEW.heard) GROUP BY value)
    JOIN (SELECT coalesce(max(place) + 1, 0) AS known
            FROM return_sighting WHERE sales_return_seq = NEW.sales_return_seq)
   WHERE status NOT IN (SELECT status FROM return_sighting WHERE sales_return_seq = NEW.sales_return_seq)
   ORDER BY key
   LIMIT (SELECT max(0, 32 - count(*)) FROM return_sighting WHERE sales_return_seq = NEW.sales_return_seq);
  UPDATE message SET attempts = 1
   WHERE queue_id = 'returns' AND subject = NEW.sales_return_id AND state = 'leased' AND state IN ('ready', 'leased')
     AND attempts > 1;
END;

CREATE TRIGGER IF NOT EXISTS unknown_shipment_is_told AFTER UPDATE OF unknown_since_ms ON sales_return
WHEN OLD.unknown_since_ms IS NULL AND NEW.unknown_since_ms IS NOT NULL
BEGIN
  INSERT INTO event (type, subject, time_ms, data)
  VALUES ('return.unknown', NEW.sales_return_id, NEW.unknown_since_ms, json_object(
    'return_id', NEW.sales_return_id, 'order_number', NEW.order_number, 'order_item_number', NEW.order_item_number,
    'shipment_number', NEW.shipment_number, 'partner', 'logistics'));
END;

-- As before, and of a number that the partner does not know.
DROP TRIGGER IF EXISTS event_is_an_incident;
CREATE TRIGGER event_is_an_incident AFTER INSERT ON event
WHEN NEW.type IN ('message.buried', 'production.overdue', 'circuit.opened', 'audit.violation', 'return.unknown')
BEGIN
  INSERT INTO incident (incident_id, kind, queue_id, partner_id, reason, factory_id, opened_at_ms, last_at_ms, case_id,
                        words)
  SELECT NEW.event_id, NEW.type, column1, column2, column3, coalesce(NEW.data ->> 'factory_id', ''), NEW.time_ms,
         NEW.time_ms, column4, column5
    FROM (VALUES
      (CASE NEW.type WHEN 'message.buried' THEN NEW.subject WHEN 'production.overdue' THEN 'replenishment'
                     WHEN 'return.unknown' THEN 'returns' ELSE '' END,
       CASE NEW.type WHEN 'production.overdue' THEN 'factory' ELSE coalesce(NEW.data ->> 'partner', '') END,
       CASE NEW.type WHEN 'message.buried' THEN NEW.data ->> 'reason'
                     WHEN 'production.overdue' THEN 'factory-overdue'
                     WHEN 'circuit.opened' THEN (NEW.data ->> 'partner') || '-circuit-open'
                     WHEN 'return.unknown' THEN 'logistics-unknown-shipment'
                     ELSE 'audit-violation' END,
       CASE NEW.type WHEN 'message.buried' THEN NEW.data ->> 'message_id'
                     WHEN 'production.overdue' THEN NEW.data ->> 'production_id'
                     WHEN 'circuit.opened' THEN NEW.data ->> 'partner'
                     WHEN 'return.unknown' THEN NEW.data ->> 'return_id'
                     ELSE 'audit' END,
       CASE NEW.type WHEN 'message.buried' THEN printf('%s: %s', NEW.data ->> 'subject', NEW.data ->> 'error')
                     WHEN 'production.overdue' THEN printf('%s: %d units, request number %d', NEW.data ->> 'sku',
                                                           NEW.data ->> 'quantity', NEW.data ->> 'attempts')
                     WHEN 'circuit.opened' THEN printf('%d failures in a row', NEW.data ->> 'failures')
                     WHEN 'return.unknown' THEN printf('%s: order %s, item %s', NEW.data ->> 'shipment_number',
                                                       NEW.data ->> 'order_number', NEW.data ->> 'order_item_number')
                     ELSE NEW.data ->> 'words' END))
   WHERE true
  ON CONFLICT (kind, queue_id, partner_id, reason, factory_id) WHERE cleared_at_ms IS NULL
  DO UPDATE SET occurrences = occurrences + 1, last_at_ms = max(last_at_ms, excluded.last_at_ms),
                case_id = excluded.case_id, words = excluded.words;
END;

-- As before, and numbers that a partner does not know (yet) are talk for the chat.
DROP TRIGGER IF EXISTS incident_opens;
CREATE TRIGGER incident_opens AFTER INSERT ON incident
BEGIN
  INSERT INTO incident_notice (incident_id, channel, occasion, at_ms, occurrences)
  SELECT NEW.incident_id, column1, 'opened', NEW.opened_at_ms, NEW.occurrences FROM (VALUES ('chat'), ('mail'))
   WHERE NOT (column1 = 'mail' AND (NEW.partner_id IN ('mail', 'mail-fallback') OR NEW.kind = 'return.unknown'))
     AND NOT (column1 = 'chat' AND NEW.partner_id = 'slack');
END;

CREATE TRIGGER IF NOT EXISTS delivered_return_is_to_be_reported AFTER UPDATE OF status ON sales_return
WHEN OLD.status = 'collected' AND NEW.status = 'delivered'
BEGIN
  INSERT INTO event (type, subject, time_ms, data)
  VALUES ('return.delivered', NEW.sales_return_id, NEW.delivered_at_ms, json_object(
    'return_id', NEW.sales_return_id, 'order_number', NEW.order_number, 'order_item_number', NEW.order_item_number,
    'shipment_number', NEW.shipment_number));
END;

-- The statement that reports a return says what becomes of its goods; this books them.
CREATE TRIGGER IF NOT EXISTS received_return_reaches_the_shelf AFTER UPDATE OF goods ON sales_return
WHEN OLD.goods <> 'received' AND NEW.goods = 'received'
BEGIN
  INSERT INTO stock_movement (sku, kind, delta, on_hand_after, sales_return_id, at_ms)
  VALUES (NEW.sku, 'returned', NEW.quantity, (SELECT on_hand FROM product WHERE sku = NEW.sku) + NEW.quantity,
          NEW.sales_return_id, NEW.settled_at_ms);
END;

CREATE TRIGGER IF NOT EXISTS settled_return_is_on_record AFTER UPDATE OF goods ON sales_return
WHEN NEW.goods IN ('received', 'discarded') AND NEW.operator <> ''
BEGIN
  INSERT INTO operator_action (kind, subject, detail, reason, operator, at_ms)
  VALUES ('return.' || CASE NEW.goods WHEN 'received' THEN 'receive' ELSE 'discard' END, NEW.sales_return_id,
          json_object('order_number', NEW.order_number, 'order_item_number', NEW.order_item_number, 'sku', NEW.sku,
                      'quantity', NEW.quantity),
          NEW.reason, NEW.operator, NEW.settled_at_ms);
END;

-- A return lives and dies with the message of its next step; a replay brings it back.
CREATE TRIGGER IF NOT EXISTS purged_message_gives_its_return_up AFTER UPDATE OF state ON message
WHEN NEW.queue_id = 'returns' AND NEW.state = 'purged'
BEGIN
  UPDATE sales_return SET given_up_at_ms = NEW.settled_at_ms
   WHERE sales_return_id = NEW.subject
     AND 'return.' || status = (SELECT type FROM event WHERE event_id = NEW.event_id);
END;

-- What was heard under a number that is no longer the right one is no news, and must not put the next question off. Once: the
-- worker that comes then reads the new number.
CREATE TRIGGER IF NOT EXISTS renumbered_return_is_asked_for_at_once AFTER UPDATE OF state ON message
WHEN NEW.queue_id = 'returns' AND OLD.state = 'leased' AND NEW.state = 'ready'
 AND EXISTS (SELECT 1 FROM sales_return WHERE sales_return_id = NEW.subject AND status = 'collected' AND renumbered = 1)
BEGIN
  UPDATE message SET available_at_ms = min(available_at_ms, NEW.settled_at_ms) WHERE message_seq = NEW.message_seq;
  UPDATE sales_return SET renumbered = 0 WHERE sales_return_id = NEW.subject;
END;

-- A replay makes the next step due: a return that is not known begins; messages that wait are due now, and so is the dead letter
-- of this step, as if redriven; where none is left, another one is published. What a worker holds right now is left to it.
CREATE TRIGGER IF NOT EXISTS replay_is_carried_out AFTER INSERT ON return_replay
BEGIN
  INSERT INTO sales_return (order_number, order_item_number, shipment_number, partner_ref, collected_at_ms)
  SELECT NEW.order_number, NEW.order_item_number, NEW.shipment_number, NEW.partner_ref, NEW.at_ms
   WHERE NEW.outcome = 'begun';
  UPDATE sales_return
     SET shipment_number = NEW.shipment_number, heard = '[]', unknown_since_ms = NULL,
         renumbered = EXISTS (SELECT 1 FROM message
                               WHERE queue_id = 'returns' AND subject = sales_return_id AND state = 'leased'
                                 AND state IN ('ready', 'leased'))
   WHERE NEW.outcome = 'resumed' AND order_number = NEW.order_number AND order_item_number = NEW.order_item_number
     AND status = 'collected' AND shipment_number <> NEW.shipment_number;
  UPDATE sales_return SET given_up_at_ms = NULL, unknown_since_ms = NULL
   WHERE order_number = NEW.order_number AND order_item_number = NEW.order_item_number AND given_up_at_ms IS NOT NULL;
  UPDATE message SET available_at_ms = min(available_at_ms, NEW.at_ms)
   WHERE NEW.outcome = 'resumed' AND queue_id = 'returns' AND state = 'ready' AND state IN ('ready', 'leased')
     AND subject = (SELECT sales_return_id FROM sales_return
                     WHERE order_number = NEW.order_number AND order_item_number = NEW.order_item_number);
  UPDATE message
     SET state = 'ready', attempts = 0, redrives = redrives + 1, available_at_ms = NEW.at_ms, settled_at_ms = NULL
   WHERE NEW.outcome = 'resumed'
     AND message_seq = (SELECT max(dead.message_seq)
                          FROM sales_return
                          JOIN message AS dead
                            ON dead.queue_id = 'returns' AND dead.subject = sales_return_id AND dead.state = 'buried'
                          JOIN event ON event.event_id = dead.event_id AND event.type = 'return.' || sales_return.status
                         WHERE order_number = NEW.order_number AND order_item_number = NEW.order_item_number);
  INSERT INTO event (type, subject, time_ms, data)
  SELECT 'return.' || status, sales_return_id, NEW.at_ms,
         json_object('return_id', sales_return_id, 'order_number', order_number, 'order_item_number', order_item_number,
                     'shipment_number', shipment_number)
    FROM sales_return
   WHERE NEW.outcome = 'resumed' AND order_number = NEW.order_number AND order_item_number = NEW.order_item_number
     AND NOT EXISTS (SELECT 1 FROM message JOIN event ON event.event_id = message.event_id
                      WHERE message.queue_id = 'returns' AND message.subject = sales_return_id
                        AND message.state IN ('ready', 'leased') AND event.type = 'return.' || sales_return.status);
  INSERT INTO operator_action (kind, subject, detail, reason, operator, at_ms)
  SELECT 'return.replay', sales_return_id,
         json_object('order_number', NEW.order_number, 'order_item_number', NEW.order_item_number,
                     'shipment_number', NEW.shipment_number, 'outcome', NEW.outcome),
         '', NEW.operator, NEW.at_ms
    FROM sales_return WHERE order_number = NEW.order_number AND order_item_number = NEW.order_item_number;
END;

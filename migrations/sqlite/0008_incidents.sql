-- Incidents, what belongs to each, and the notices that people get of them.
--
-- Safe beside older code: new tables, and triggers that older code does not know it fires. Two triggers are replaced, by one that
-- says more in the same event and by two that keep fewer rows.
--
-- The write that buries a message, marks goods overdue or opens a circuit opens an incident or adds to it: ten thousand dead
-- letters of one kind are one incident. An incident owes notices, and a notice is a message of the queue `alerts`. What
-- happens to that queue itself is no event, so alerts never feed themselves.

CREATE TABLE IF NOT EXISTS incident (
  incident_seq  INTEGER PRIMARY KEY,
  incident_id   TEXT NOT NULL UNIQUE,       -- the event that opened it
  kind          TEXT NOT NULL,              -- the type of that event
  queue_id      TEXT NOT NULL,              -- '' where none is concerned; likewise below
  partner_id    TEXT NOT NULL,
  reason        TEXT NOT NULL,
  factory_id    TEXT NOT NULL,
  opened_at_ms  INTEGER NOT NULL,
  last_at_ms    INTEGER NOT NULL,
  cleared_at_ms INTEGER,
  occurrences   INTEGER NOT NULL DEFAULT 1,
  case_id       TEXT NOT NULL,              -- the latest case, on its way to incident_case
  words         TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX IF NOT EXISTS one_open_incident_of_a_kind
  ON incident (kind, queue_id, partner_id, reason, factory_id) WHERE cleared_at_ms IS NULL;
CREATE INDEX IF NOT EXISTS incident_open ON incident (incident_seq) WHERE cleared_at_ms IS NULL;
CREATE INDEX IF NOT EXISTS incident_cleared ON incident (cleared_at_ms) WHERE cleared_at_ms IS NOT NULL;

-- What is wrong: a message, a production request, a partner. The incident is over when none of its cases is wrong any more.
CREATE TABLE IF NOT EXISTS incident_case (
  incident_id TEXT NOT NULL REFERENCES incident (incident_id) ON DELETE CASCADE,
  case_id     TEXT NOT NULL,
  times       INTEGER NOT NULL DEFAULT 1,
  last_at_ms  INTEGER NOT NULL,
  words       TEXT NOT NULL,
  PRIMARY KEY (incident_id, case_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS incident_case_latest ON incident_case (incident_id, last_at_ms);

CREATE TABLE IF NOT EXISTS incident_notice (
  incident_notice_id INTEGER PRIMARY KEY,
  incident_id        TEXT NOT NULL REFERENCES incident (incident_id) ON DELETE CASCADE,
  channel            TEXT NOT NULL,
  occasion           TEXT NOT NULL,
  at_ms              INTEGER NOT NULL,
  occurrences        INTEGER NOT NULL,      -- when it became due
  told_at_ms         INTEGER,
  occurrences_told   INTEGER NOT NULL DEFAULT 0,
  CONSTRAINT channel_is_known CHECK (channel IN ('mail', 'chat')),
  CONSTRAINT occasion_is_known CHECK (occasion IN ('opened', 'grew', 'cleared'))
) STRICT;

CREATE INDEX IF NOT EXISTS incident_notice_by_incident
  ON incident_notice (incident_id, channel, incident_notice_id);

INSERT INTO queue (queue_id, ordered, lease_ms, in_flight_max, retention_ms)
VALUES ('alerts', 1, 30000, 16, 604800000) ON CONFLICT DO NOTHING;
INSERT INTO subscription (topic, queue_id)
VALUES ('incident.opened', 'alerts'), ('incident.grew', 'alerts'), ('incident.cleared', 'alerts')
ON CONFLICT DO NOTHING;

INSERT INTO partner (partner_id, failures_max, open_ms, open_ms_max)
VALUES ('mail', 5, 2000, 30000), ('mail-fallback', 5, 2000, 30000), ('slack', 5, 2000, 30000),
       ('marketing', 5, 2000, 30000)
ON CONFLICT DO NOTHING;

-- Dead letters are grouped by reason, for people and to redrive them.
CREATE INDEX IF NOT EXISTS message_buried_by_reason
  ON message (queue_id, reason, message_seq, settled_at_ms) WHERE state = 'buried';

-- As before, but a message that waits for its partner is postponed every few seconds: postponements in a row for one reason are
-- one attempt, from the start of the first to the end of the last. (It does not matter which of the two triggers comes first.)
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
  UPDATE queue SET done_total = done_total + 1 WHERE queue_id = NEW.queue_id AND NEW.state = 'done';
END;

DROP TRIGGER IF EXISTS message_is_postponed_again;
CREATE TRIGGER message_is_postponed_again AFTER UPDATE OF state ON message
WHEN OLD.state = 'leased' AND NEW.outcome = 'postpone'
BEGIN
  UPDATE message_attempt SET ended_at_ms = NEW.settled_at_ms, error = NEW.error
   WHERE message_attempt_id = (SELECT max(message_attempt_id) FROM message_attempt WHERE message_seq = NEW.message_seq)
     AND outcome = 'postpone' AND reason = NEW.reason;
END;

-- As before, and who is concerned: a failure's kind begins with the partner's name (`mail-refused`).
DROP TRIGGER IF EXISTS buried_message_is_an_event;
CREATE TRIGGER buried_message_is_an_event AFTER UPDATE OF state ON message
WHEN NEW.state = 'buried' AND NEW.queue_id <> 'alerts'
BEGIN
  INSERT INTO event (type, subject, time_ms, data)
  SELECT 'message.buried', NEW.queue_id, NEW.settled_at_ms, json_object(
           'message_id', NEW.message_id, 'queue', NEW.queue_id, 'subject', NEW.subject,
           'reason', NEW.reason, 'error', NEW.error, 'partner', concerned.partner_id,
           'factory_id', CASE WHEN concerned.partner_id = 'factory' THEN event.data ->> 'factory_id' END)
    FROM event
    LEFT JOIN (SELECT partner_id FROM partner
                WHERE substr(NEW.reason, 1, length(partner_id) + 1) = partner_id || '-'
                ORDER BY length(partner_id) DESC LIMIT 1) AS concerned
   WHERE event.event_id = NEW.event_id;
END;

-- Each probe that fails opens the circuit again: that is how an outage grows.
CREATE TRIGGER IF NOT EXISTS circuit_is_an_event AFTER UPDATE OF circuit ON partner
WHEN NEW.circuit IN ('open', 'closed') AND OLD.circuit <> NEW.circuit
BEGIN
  INSERT INTO event (type, subject, time_ms, data)
  SELECT 'circuit.' || CASE NEW.circuit WHEN 'open' THEN 'opened' ELSE 'closed' END, NEW.partner_id, max(left_at_ms),
         json_object('partner', NEW.partner_id, 'failures', NEW.failures, 'openings', NEW.openings,
                     'probe_at_ms', NEW.probe_at_ms)
    FROM partner_pass WHERE partner_id = NEW.partner_id AND left_at_ms IS NOT NULL
  HAVING count(*) > 0;
END;

CREATE TRIGGER IF NOT EXISTS event_is_an_incident AFTER INSERT ON event
WHEN NEW.type IN ('message.buried', 'production.overdue', 'circuit.opened', 'audit.violation')
BEGIN
  INSERT INTO incident (incident_id, kind, queue_id, partner_id, reason, factory_id, opened_at_ms, last_at_ms, case_id,
                        words)
  SELECT NEW.event_id, NEW.type, column1, column2, column3, coalesce(NEW.data ->> 'factory_id', ''), NEW.time_ms,
         NEW.time_ms, column4, column5
    FROM (VALUES
      (CASE NEW.type WHEN 'message.buried' THEN NEW.subject WHEN 'production.overdue' THEN 'replenishment' ELSE '' END,
       CASE NEW.type WHEN 'production.overdue' THEN 'factory' ELSE coalesce(NEW.data ->> 'partner', '') END,
       CASE NEW.type WHEN 'message.buried' THEN NEW.data ->> 'reason'
                     WHEN 'production.overdue' THEN 'factory-overdue'
                     WHEN 'circuit.opened' THEN (NEW.data ->> 'partner') || '-circuit-open'
                     ELSE 'audit-violation' END,
       CASE NEW.type WHEN 'message.buried' THEN NEW.data ->> 'message_id'
                     WHEN 'production.overdue' THEN NEW.data ->> 'production_id'
                     WHEN 'circuit.opened' THEN NEW.data ->> 'partner'
                     ELSE 'audit' END,
       CASE NEW.type WHEN 'message.buried' THEN printf('%s: %s', NEW.data ->> 'subject', NEW.data ->> 'error')
                     WHEN 'production.overdue' THEN printf('%s: %d units, request number %d', NEW.data ->> 'sku',
                                                           NEW.data ->> 'quantity', NEW.data ->> 'attempts')
                     WHEN 'circuit.opened' THEN printf('%d failures in a row', NEW.data ->> 'failures')
                     ELSE NEW.data ->> 'words' END))
   WHERE true
  ON CONFLICT (kind, queue_id, partner_id, reason, factory_id) WHERE cleared_at_ms IS NULL
  DO UPDATE SET occurrences = occurrences + 1, last_at_ms = max(last_at_ms, excluded.last_at_ms),
                case_id = excluded.case_id, words = excluded.words;
END;

CREATE TRIGGER IF NOT EXISTS new_incident_has_a_case AFTER INSERT ON incident
BEGIN
  INSERT INTO incident_case (incident_id, case_id, last_at_ms, words)
  VALUES (NEW.incident_id, NEW.case_id, NEW.last_at_ms, NEW.words);
END;

CREATE TRIGGER IF NOT EXISTS growing_incident_has_a_case AFTER UPDATE OF occurrences ON incident
BEGIN
  INSERT INTO incident_case (incident_id, case_id, last_at_ms, words)
  VALUES (NEW.incident_id, NEW.case_id, NEW.last_at_ms, NEW.words)
  ON CONFLICT (incident_id, case_id) DO UPDATE
     SET times = times + 1, last_at_ms = excluded.last_at_ms, words = excluded.words;
END;

-- Nobody is told by mail that mail fails, nor in chat that chat does.
CREATE TRIGGER IF NOT EXISTS incident_opens AFTER INSERT ON incident
BEGIN
  INSERT INTO incident_notice (incident_id, channel, occasion, at_ms, occurrences)
  SELECT NEW.incident_id, column1, 'opened', NEW.opened_at_ms, NEW.occurrences FROM (VALUES ('chat'), ('mail'))
   WHERE NOT (column1 = 'mail' AND NEW.partner_id IN ('mail', 'mail-fallback'))
     AND NOT (column1 = 'chat' AND NEW.partner_id = 'slack');
END;

CREATE TRIGGER IF NOT EXISTS incident_is_over AFTER UPDATE OF cleared_at_ms ON incident
WHEN OLD.cleared_at_ms IS NULL AND NEW.cleared_at_ms IS NOT NULL
BEGIN
  INSERT INTO incident_notice (incident_id, channel, occasion, at_ms, occurrences)
  SELECT NEW.incident_id, channel, 'cleared', NEW.cleared_at_ms, NEW.occurrences
    FROM incident_notice WHERE incident_id = NEW.incident_id AND occasion = 'opened';
END;

-- Notices of one incident on one channel come in order; those on the other do not wait for them.
CREATE TRIGGER IF NOT EXISTS notice_is_a_message AFTER INSERT ON incident_notice
BEGIN
  INSERT INTO event (type, subject, time_ms, data)
  VALUES ('incident.' || NEW.occasion, NEW.channel || ':' || NEW.incident_id, NEW.at_ms,
          json_object('notice_id', CAST(NEW.incident_notice_id AS TEXT), 'incident_id', NEW.incident_id,
                      'channel', NEW.channel));
END;

-- Dead letters from before there were incidents become what they would have been. (None is open yet, unless this file was applied
-- before.)
INSERT INTO event (type, subject, time_ms, data)
SELECT 'message.buried', queue_id, settled_at_ms, json_object(
         'message_id', message_id, 'queue', queue_id, 'subject', subject, 'reason', reason, 'error', error,
         'partner', partner_id,
         'factory_id', CASE WHEN partner_id = 'factory' THEN data ->> 'factory_id' END)
  FROM (SELECT message.*, event.data,
               (SELECT partner_id FROM partner
                 WHERE substr(reason, 1, length(partner_id) + 1) = partner_id || '-'
                 ORDER BY length(partner_id) DESC LIMIT 1) AS partner_id
          FROM message JOIN event ON event.event_id = message.event_id
         WHERE message.state = 'buried' AND message.queue_id <> 'alerts'
           AND NOT EXISTS (SELECT 1 FROM incident))
 ORDER BY settled_at_ms, message_seq;

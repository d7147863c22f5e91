-- Events, the queues that subscribe to them, messages with their attempts, and what operators do to them.
--
-- Safe beside older code: new tables only.
--
-- An event fans out to one message per subscribed queue, in the write that caused it. Every row a worker or an operator
-- changes goes through one of four doors: claim, settle, the sweep of the tick, an operation. The triggers
-- below keep the history of each, so that no door can forget it.

CREATE TABLE IF NOT EXISTS queue (
  queue_id      TEXT PRIMARY KEY,
  paused        INTEGER NOT NULL DEFAULT 0,
  ordered       INTEGER NOT NULL,           -- 1: messages of one subject are worked off one after the other
  lease_ms      INTEGER NOT NULL,           -- longer than a handler may take
  in_flight_max INTEGER NOT NULL,           -- messages under lease at a time
  attempts_max  INTEGER,                    -- NULL: the application's attempts_max
  retention_ms  INTEGER NOT NULL,           -- how long finished messages can be looked at
  done_total    INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS subscription (
  topic    TEXT NOT NULL,
  queue_id TEXT NOT NULL REFERENCES queue (queue_id),
  PRIMARY KEY (topic, queue_id)
) STRICT, WITHOUT ROWID;

-- A CloudEvents 1.0 record. The default makes a UUID version 7 (RFC 9562, 5.7) from the clock of the machine: the time in an
-- identifier keeps the index narrow and is never read.
CREATE TABLE IF NOT EXISTS event (
  event_id TEXT PRIMARY KEY DEFAULT (
    printf('%s-%s-7%s-%s%s-%s',
      substr(printf('%012x', CAST(unixepoch('subsec') * 1000 AS INTEGER)), 1, 8),
      substr(printf('%012x', CAST(unixepoch('subsec') * 1000 AS INTEGER)), 9, 4),
      substr(lower(hex(randomblob(2))), 2),
      substr('89ab', abs(random() % 4) + 1, 1),
      substr(lower(hex(randomblob(2))), 2),
      lower(hex(randomblob(6))))),
  source  TEXT NOT NULL DEFAULT '/restock',
  type    TEXT NOT NULL,
  subject TEXT NOT NULL,
  time_ms INTEGER NOT NULL,
  data    TEXT NOT NULL,
  CONSTRAINT data_is_json CHECK (json_valid(data))
) STRICT;

CREATE INDEX IF NOT EXISTS event_by_time ON event (time_ms);

CREATE TABLE IF NOT EXISTS message (
  message_seq     INTEGER PRIMARY KEY,      -- the order in which things happened
  message_id      TEXT NOT NULL UNIQUE DEFAULT (
    printf('%s-%s-7%s-%s%s-%s',
      substr(printf('%012x', CAST(unixepoch('subsec') * 1000 AS INTEGER)), 1, 8),
      substr(printf('%012x', CAST(unixepoch('subsec') * 1000 AS INTEGER)), 9, 4),
      substr(lower(hex(randomblob(2))), 2),
      substr('89ab', abs(random() % 4) + 1, 1),
      substr(lower(hex(randomblob(2))), 2),
      lower(hex(randomblob(6))))),
  queue_id        TEXT NOT NULL REFERENCES queue (queue_id),
  event_id        TEXT NOT NULL REFERENCES event (event_id),
  subject         TEXT NOT NULL,
  state           TEXT NOT NULL DEFAULT 'ready',
  attempts        INTEGER NOT NULL DEFAULT 0,
  available_at_ms INTEGER NOT NULL,
  receipt         TEXT,
  leased_at_ms    INTEGER,
  lease_until_ms  INTEGER,
  outcome         TEXT NOT NULL DEFAULT '', -- how the last attempt ended
  reason          TEXT NOT NULL DEFAULT '',
  error           TEXT NOT NULL DEFAULT '',
  redrives        INTEGER NOT NULL DEFAULT 0,
  created_at_ms   INTEGER NOT NULL,
  settled_at_ms   INTEGER,                  -- when the last attempt ended, or the operator acted
  CONSTRAINT message_state_is_known CHECK (state IN ('ready', 'leased', 'done', 'buried', 'purged')),
  CONSTRAINT a_lease_has_a_receipt_and_an_end CHECK (
    (state = 'leased') = (receipt IS NOT NULL AND leased_at_ms IS NOT NULL AND lease_until_ms IS NOT NULL))
) STRICT;

-- created_at_ms is there for the age of the oldest message: the list of queues never touches the table.
CREATE INDEX IF NOT EXISTS message_ready
  ON message (queue_id, available_at_ms, message_seq, created_at_ms) WHERE state = 'ready';
CREATE INDEX IF NOT EXISTS message_leased ON message (queue_id, lease_until_ms) WHERE state = 'leased';
CREATE INDEX IF NOT EXISTS message_unfinished ON message (queue_id, subject, message_seq) WHERE state IN ('ready', 'leased');
CREATE INDEX IF NOT EXISTS message_buried ON message (queue_id, message_seq) WHERE state = 'buried';
CREATE INDEX IF NOT EXISTS message_finished ON message (queue_id, settled_at_ms) WHERE state IN ('done', 'purged');
CREATE INDEX IF NOT EXISTS message_by_event ON message (event_id);

CREATE TABLE IF NOT EXISTS message_attempt (
  message_attempt_id INTEGER PRIMARY KEY,
  message_seq        INTEGER NOT NULL REFERENCES message (message_seq) ON DELETE CASCADE,
  started_at_ms      INTEGER NOT NULL,
  ended_at_ms        INTEGER NOT NULL,
  outcome            TEXT NOT NULL,
  reason             TEXT NOT NULL,
  error              TEXT NOT NULL,
  CONSTRAINT outcome_is_known CHECK (outcome IN ('done', 'retry', 'postpone', 'bury', 'lease-expired'))
) STRICT;

CREATE INDEX IF NOT EXISTS message_attempt_by_message ON message_attempt (message_seq, message_attempt_id);

-- What an operator did. The insert is the action: the triggers below do what the row says, to the messages that it names.
CREATE TABLE IF NOT EXISTS operation (
  operation_seq INTEGER PRIMARY KEY,
  kind          TEXT NOT NULL,
  queue_id      TEXT NOT NULL REFERENCES queue (queue_id),
  selection     TEXT NOT NULL,              -- JSON [message_seq]
  affected      INTEGER NOT NULL,
  reason        TEXT NOT NULL,
  operator      TEXT NOT NULL,
  at_ms         INTEGER NOT NULL,
  CONSTRAINT operation_is_known CHECK (kind IN ('pause', 'resume', 'redrive', 'purge')),
  CONSTRAINT a_purge_has_a_reason CHECK (kind <> 'purge' OR reason <> '')
) STRICT;

CREATE TRIGGER IF NOT EXISTS event_fans_out AFTER INSERT ON event
BEGIN
  INSERT INTO message (queue_id, event_id, subject, available_at_ms, created_at_ms)
  SELECT queue_id, NEW.event_id, NEW.subject, NEW.time_ms, NEW.time_ms FROM subscription WHERE topic = NEW.type;
END;

CREATE TRIGGER IF NOT EXISTS message_keeps_its_attempts AFTER UPDATE OF state ON message WHEN OLD.state = 'leased'
BEGIN
  INSERT INTO message_attempt (message_seq, started_at_ms, ended_at_ms, outcome, reason, error)
  VALUES (NEW.message_seq, OLD.leased_at_ms, NEW.settled_at_ms, NEW.outcome, NEW.reason, NEW.error);
  UPDATE queue SET done_total = done_total + 1 WHERE queue_id = NEW.queue_id AND NEW.state = 'done';
END;

-- A dead letter about dead letters would never end.
CREATE TRIGGER IF NOT EXISTS buried_message_is_an_event AFTER UPDATE OF state ON message
WHEN NEW.state = 'buried' AND NEW.queue_id <> 'alerts'
BEGIN
  INSERT INTO event (type, subject, time_ms, data)
  VALUES ('message.buried', NEW.queue_id, NEW.settled_at_ms, json_object(
    'message_id', NEW.message_id, 'queue', NEW.queue_id, 'subject', NEW.subject,
    'reason', NEW.reason, 'error', NEW.error));
END;

CREATE TRIGGER IF NOT EXISTS operation_pauses_and_resumes AFTER INSERT ON operation WHEN NEW.kind IN ('pause', 'resume')
BEGIN
  UPDATE queue SET paused = (NEW.kind = 'pause') WHERE queue_id = NEW.queue_id;
END;

CREATE TRIGGER IF NOT EXISTS operation_redrives AFTER INSERT ON operation WHEN NEW.kind = 'redrive'
BEGIN
  UPDATE message
     SET state = 'ready', attempts = 0, redrives = redrives + 1, available_at_ms = NEW.at_ms, settled_at_ms = NULL
   WHERE message_seq IN (SELECT value FROM json_each(NEW.selection)) AND state = 'buried';
END;

CREATE TRIGGER IF NOT EXISTS operation_purges AFTER INSERT ON operation WHEN NEW.kind = 'purge'
BEGIN
  UPDATE message SET state = 'purged', settled_at_ms = NEW.at_ms
   WHERE message_seq IN (SELECT value FROM json_each(NEW.selection)) AND state = 'buried';
END;

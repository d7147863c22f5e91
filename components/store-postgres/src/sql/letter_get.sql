-- Reads where a letter is.
--
-- $1 letter_id
--
-- No row: nowhere yet.
SELECT state, provider, content, sent_at_ms, entrusted_total FROM letter WHERE letter_id = $1::text;

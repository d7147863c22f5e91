-- Notes that a provider sent a letter.
--
-- $1 letter_id  $2 provider  $3 the provider's own id  $4 now
--
-- Changes nothing where another provider has it, or it was noted before. One that was released before its answer came was
-- sent all the same.
UPDATE letter SET state = 'sent', provider_ref = $3::text, sent_at_ms = $4::bigint
 WHERE letter_id = $1::text AND provider = $2::text AND state <> 'sent';

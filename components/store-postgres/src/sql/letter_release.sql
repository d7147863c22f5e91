-- Takes a letter back from a provider that surely did not send it.
--
-- $1 letter_id  $2 provider
--
-- Changes nothing where it is not with this provider, or was sent.
UPDATE letter SET state = 'released' WHERE letter_id = $1::text AND provider = $2::text AND state = 'entrusted';

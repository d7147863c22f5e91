-- Gives a letter to a provider.
--
-- $1 letter_id  $2 provider  $3 content  $4 now
--
-- No row: it is with another provider or sent, nothing was changed. The first words stay while they may have been sent.
-- The condition is looked at on the locked row, so of two workers with two providers one gets it.
INSERT INTO letter (letter_id, state, provider, content, entrusted_at_ms)
VALUES ($1::text, 'entrusted', $2::text, $3::text, $4::bigint)
ON CONFLICT (letter_id) DO UPDATE
   SET state = 'entrusted',
       provider = excluded.provider,
       content = CASE letter.state WHEN 'released' THEN excluded.content ELSE letter.content END,
       entrusted_at_ms = CASE letter.state WHEN 'released' THEN excluded.entrusted_at_ms ELSE letter.entrusted_at_ms END,
       entrusted_total = CASE letter.state WHEN 'released' THEN 1 ELSE letter.entrusted_total + 1 END
 WHERE letter.state = 'released' OR letter.state = 'entrusted' AND letter.provider = excluded.provider
RETURNING 1::bigint;

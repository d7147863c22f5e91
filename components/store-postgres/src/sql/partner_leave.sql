-- Gives a pass back with how the call went.
--
-- $1 partner_pass_id  $2 health  $3 now  $4 until when the partner wants to be left alone, or NULL
--
-- Changes nothing where the pass expired or was given back before. One row of no meaning.
SELECT 1::bigint FROM restock_partner_leave($1::text, $2::text, $3::bigint, $4::bigint);

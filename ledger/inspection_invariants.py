"""What must hold of tags, rounds and visits, each as the query whose rows break it. docs/invariants.md explains them."""

from collections.abc import Mapping
from typing import LiteralString

INSPECTION: Mapping[str, LiteralString] = {
    "dossier_has_every_visit": """
        with happened as (
            select facility_id, 'inspection' as kind, count(*) from inspection_visit
            where facility_id is not null group by 1
            union all
            select facility_id, 'inspection_review', count(*) from inspection_visit
            where facility_id is not null and reviewed_at is not null group by 1
            union all
            select facility_id, 'tag', count(*) from tag_event join tag on tag.id = tag_id where move <> 'print' group by 1
        ), entries as (
            select facility_id, kind::text, count(*) from dossier_entry
            where kind in ('inspection', 'inspection_review', 'tag') group by 1, 2
        )
        select facility_id as facility, kind, happened.count as happened, entries.count as entries
        from happened full join entries using (facility_id, kind) where happened.count is distinct from entries.count
        order by 1, 2
    """,
    "dossier_has_every_certificate": """
        with happened as (
            select facility_id, id as certificate, 'add' as move, kind::text, number, issuer, issued_on::text,
                   valid_until::text, null as sha256 from certificate
            union all
            select facility_id, id, 'withdraw', kind::text, number, issuer, null, null, null
            from certificate where withdrawn_at is not null
            union all
            select facility_id, certificate_id, 'page', kind::text, number, issuer, null, null, sha256
            from certificate_page join certificate on certificate.id = certificate_id
        ), told as (
            select facility_id, convert_from(body, 'UTF8')::jsonb as body from dossier_entry where kind = 'certificate'
        ), entries as (
            select facility_id, (body ->> 'certificate')::bigint as certificate, body ->> 'move' as move, body ->> 'kind',
                   body ->> 'number', body ->> 'issuer', body ->> 'issued_on', body ->> 'valid_until', body ->> 'sha256'
            from told
        )
        select facility_id as facility, certificate, move, 'is not in the dossier' as fault
        from (table happened except all table entries) as missing
        union all
        select facility_id, certificate, move, 'is in the dossier only'
        from (table entries except all table happened) as invented
        order by 1, 2, 3, 4
    """,
    "dossier_has_every_place_photo": """
        with told as (
            select facility_id, seq, convert_from(body, 'UTF8')::jsonb as body from dossier_entry where kind = 'place_photo'
        ), happened as (
            select facility_id, sha256 from place_photo
        ), entries as (
            select facility_id, body ->> 'sha256' as sha256 from told where body ->> 'move' = 'set'
        ), ends as (
            select distinct on (facility_id) facility_id, body ->> 'sha256' as sha256, body ->> 'move' as move
            from told order by facility_id, seq desc
        ), shown as (
            select facility_id, sha256 from place_photo where removed_at is null
        )
        select facility_id as facility, sha256, 'is not in the dossier' as fault
        from (table happened except all table entries) as missing
        union all
        select facility_id, sha256, 'is in the dossier only' from (table entries except all table happened) as invented
        union all
        select facility_id, sha256, 'is not what the dossier ends with'
        from shown full join (select * from ends where move = 'set') as set_last using (facility_id, sha256)
        where (shown is null) <> (set_last is null)
        order by 1, 2, 3
    """,
    "dossier_has_every_service": """
        with happened as (
            select facility_id, asset_id as asset, serviced_on::text, note
            from asset_service join asset on asset.id = asset_id
        ), told as (
            select facility_id, convert_from(body, 'UTF8')::jsonb as body from dossier_entry where kind = 'asset_serviced'
        ), entries as (
            select facility_id, (body ->> 'asset')::int as asset, body ->> 'serviced_on', body ->> 'note' from told
        )
        select facility_id as facility, asset, 'is not in the dossier' as fault
        from (table happened except all table entries) as missing
        union all
        select facility_id, asset, 'is in the dossier only' from (table entries except all table happened) as invented
        order by 1, 2, 3
    """,
    "round_journal_gives_state": """
        with told as (
            select round_id, seq, from_state, to_state, move, guard, row_number() over journal as place,
                   lag(to_state) over journal as came_from
            from inspection_round_event window journal as (partition by round_id order by seq)
        ), ends as (
            select distinct on (round_id) round_id, seq, to_state, guard from inspection_round_event
            order by round_id, seq desc
        )
        select round_id as round, seq, 'does not follow the entry before it' as fault from told
        where seq <> place or from_state is distinct from came_from
        union all
        select round_id, seq, 'is no legal move' from told
        where from_state is distinct from case move when 'start' then null else 'walking'::round_state end
        or to_state::text <> case move when 'finish' then 'finished' when 'abandon' then 'abandoned' else 'walking' end
        union all
        select id, journal_length, 'is not what its journal ends with' from inspection_round as round
        left join ends on round_id = id
        where state is distinct from to_state or round.guard is distinct from ends.guard
        or journal_length is distinct from seq
        order by 1, 2
    """,
    "signature_is_of_who_may": """
        with walked as (
            select round_id, guard as person, null as signature_id from inspection_round_event
            union select round_id, visit ->> 'person', id  -- what came after it was signed is not covered
            from inspection_signature, jsonb_array_elements(content::jsonb -> 'visits') as visit where round_id is not null
        ), resolved as (
            select work_order_id, actor, at from work_order_event where move = 'resolve'
        )
        select signature.id as signature, part, signer from inspection_signature as signature
        where (part = 'patroller' and not exists (select from inspection_round_event as event
            where event.round_id = signature.round_id and event.guard = signer))
        or (part = 'supervisor' and exists (select from walked
            where walked.round_id = signature.round_id and walked.person = signer
            and coalesce(signature_id, signature.id) = signature.id))
        or (part = 'fire_manager' and (select actor from resolved where resolved.work_order_id = signature.work_order_id
            and resolved.at <= signed_at order by resolved.at desc limit 1) is not distinct from signer)
        order by 1
    """,
    "visit_order_is_of_its_facility": """
        select visit.id::text as visit, work_order_id as work_order from inspection_visit as visit
        join work_order on work_order.id = work_order_id where visit.facility_id is distinct from work_order.facility_id
        order by 1
    """,
    "fitness_is_as_its_dossier_ends": """
        with told as (
            select facility_id, convert_from(body, 'UTF8')::jsonb as body, row_number() over journal as place,
                   lag(convert_from(body, 'UTF8')::jsonb ->> 'to') over journal as came_from
            from dossier_entry where kind = 'fitness' window journal as (partition by facility_id order by seq)
        ), ends as (
            select distinct on (facility_id) facility_id, place, body ->> 'to' as state from told
            order by facility_id, place desc
        )
        select facility_id as facility, place, 'does not follow the entry before it' as fault from told
        where body ->> 'from' <> coalesce(came_from, 'fit') or body ->> 'from' = body ->> 'to'
        union all
        select coalesce(fitness.facility_id, ends.facility_id), place, 'is not what its dossier ends with'
        from facility_fitness as fitness full join ends using (facility_id)
        where fitness.state::text is distinct from ends.state or journal_length is distinct from place
        order by 1, 2
    """,
}

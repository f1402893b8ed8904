"""What must hold of the ledger whatever happened, each as the query whose rows break it. docs/invariants.md explains them.

Constraints and the functions of this package keep most of it from ever breaking; these queries do not believe them.
"""

from collections.abc import Mapping
from typing import LiteralString

from ledger.inspection_invariants import INSPECTION

ALARMS: Mapping[str, LiteralString] = {
    "alarm_open_while_not_normal": """
        select condition.id as condition, state, count(alarm.id) as open_alarms
        from condition left join alarm on alarm.condition_id = condition.id and alarm.ended_at is null
        group by condition.id, state having count(alarm.id) <> case when state = 'NORM' then 0 else 1 end
        order by condition.id
    """,
    "alarm_says_what_its_condition_says": """
        select alarm.id as alarm, state, acknowledged_at, returned_at
        from alarm join condition on condition.id = condition_id where ended_at is null and (
            (acknowledged_at is not null) <> (state in ('ACKED', 'LATACK'))
            or (returned_at is not null) <> (state in ('RTNUN', 'LATUN', 'LATACK'))
        ) order by alarm.id
    """,
    "alarm_was_raised": """
        select alarm.id as alarm, occurrences, count(event.id) as raises
        from alarm left join condition_event as event on alarm_id = alarm.id and move = 'raise'
        group by alarm.id, occurrences having count(event.id) not between 1 and occurrences order by alarm.id
    """,
    "alarm_and_order_share_their_facility": """
        select link.work_order_id as work_order, link.alarm_id as alarm
        from work_order_alarm as link join alarm on alarm.id = link.alarm_id
        join work_order on work_order.id = link.work_order_id where alarm.facility_id <> work_order.facility_id
        order by 1, 2
    """,
}

# Parameters: arrays of the lifecycle tables, move by move.
JOURNALS: Mapping[str, LiteralString] = {
    "condition_journal_unbroken": """
        with told as (
            select condition_id, seq, from_state, row_number() over journal as place,
                   lag(to_state, 1, 'NORM') over journal as came_from
            from condition_event window journal as (partition by condition_id order by seq)
        )
        select condition_id as condition, seq, 'does not follow the entry before it' as fault from told
        where seq <> place or from_state <> came_from
        union all
        select id, journal_length, 'is the length the condition remembers' from condition
        where journal_length <> (select count(*) from condition_event where condition_id = condition.id)
        order by 1, 2
    """,
    "condition_journal_legal": """
        select condition_id as condition, seq, from_state, move, to_state from condition_event
        where (from_state::text, move::text, to_state::text) not in (
            select * from unnest(%(condition_from)s::text[], %(condition_move)s::text[], %(condition_to)s::text[])
        ) order by 1, 2
    """,
    "condition_journal_gives_state": """
        with replayed as (
            select condition.id, (array_agg(to_state order by seq desc))[1] as state,
                   (array_agg(move order by seq desc) filter (where move in ('suppress', 'unsuppress')))[1] as suppression,
                   (array_agg(move order by seq desc)
                    filter (where move in ('remove_from_service', 'return_to_service')))[1] as service,
                   (array_agg(move order by seq desc)
                    filter (where move in ('shelve', 'unshelve', 'unshelve_expired')))[1] as shelving
            from condition left join condition_event on condition_id = condition.id group by condition.id
        )
        select condition.id as condition, condition.state, replayed.state as state_replayed, suppressed, suppression,
               out_of_service, service, shelved_until, shelving
        from condition join replayed using (id)
        where condition.state <> coalesce(replayed.state, 'NORM')
        or suppressed <> (suppression is not distinct from 'suppress')
        or out_of_service <> (service is not distinct from 'remove_from_service')
        or (shelved_until is not null) <> (shelving is not distinct from 'shelve')
        order by 1
    """,
    "condition_journal_names_its_alarm": """
        select event.condition_id as condition, seq, alarm_id as alarm
        from condition_event as event left join alarm on alarm.id = alarm_id
        where (alarm_id is null) <> (from_state = 'NORM' and to_state = 'NORM') or alarm.condition_id <> event.condition_id
        order by 1, 2
    """,
    "order_journal_unbroken": """
        with told as (
            select work_order_id, seq, from_state, row_number() over journal as place,
                   lag(to_state, 1, 'opened') over journal as came_from
            from work_order_event window journal as (partition by work_order_id order by seq)
        )
        select work_order_id as work_order, seq, 'does not follow the entry before it' as fault from told
        where seq <> place or from_state <> came_from
        union all
        select id, journal_length, 'is the length the order remembers' from work_order
        where journal_length <> (select count(*) from work_order_event where work_order_id = work_order.id)
        order by 1, 2
    """,
    "order_journal_legal": """
        with told as (
            select *, (select from_state from work_order_event as earlier where earlier.work_order_id = event.work_order_id
                       and earlier.seq < event.seq and earlier.move = 'suspend' order by seq desc limit 1) as suspended_from
            from work_order_event as event
        )
        select work_order_id as work_order, seq, from_state, move, to_state from told where case
            when move = 'open' then seq <> 1 or to_state <> 'opened'
            when move::text = any(%(order_events)s::text[]) then from_state <> to_state
            when move = 'resume' then from_state <> 'suspended' or to_state is distinct from suspended_from
            else (from_state::text, move::text, to_state::text) not in (
                select * from unnest(%(order_from)s::text[], %(order_move)s::text[], %(order_to)s::text[]))
        end or (seq = 1) <> (move = 'open') order by 1, 2
    """,
    "order_journal_gives_state": """
        with replayed as (
            select work_order.id, (array_agg(to_state order by seq desc))[1] as state,
                   (array_agg(event.from_state order by seq desc) filter (where move = 'suspend'))[1] as suspended_from
            from work_order left join work_order_event as event on work_order_id = work_order.id group by work_order.id
        )
        select work_order.id as work_order, work_order.state, replayed.state as state_replayed,
               work_order.suspended_from, replayed.suspended_from as suspended_from_replayed
        from work_order join replayed using (id)
        where work_order.state is distinct from replayed.state
        or (work_order.state = 'suspended' and work_order.suspended_from is distinct from replayed.suspended_from)
        order by 1
    """,
}

TIME: Mapping[str, LiteralString] = {
    "order_clock_runs_until_met_or_missed": """
        with clock as (
            select work_order.id, work_order.state, named.clock, deadline, met_at from work_order cross join lateral (values
                ('accept_by'::work_order_clock, accept_by, accepted_at), ('arrive_by', arrive_by, arrived_at),
                ('plan_by', plan_by, least(planned_at, resolved_at)), ('restore_by', restore_by, resolved_at)
            ) as named (clock, deadline, met_at)
        )
        select clock.id as work_order, clock.state, clock.clock, deadline, 'stands still' as fault from clock
        where deadline is not null and met_at is null and clock.state = any(%(working)s::work_order_state[])
        and not exists (select from timer where work_order_id = clock.id and timer.clock = clock.clock and due_at = deadline)
        and not exists (select from work_order_event as missed where missed.work_order_id = clock.id
                        and missed.clock = clock.clock and missed.at = deadline)
        -- accepted once in time and then given to another after the deadline: met, though not by him
        and not exists (select from work_order_event as met where met.work_order_id = clock.id
                        and clock.clock = 'accept_by' and met.move = 'accept' and met.recorded_at <= deadline)
        union all
        select clock.id, clock.state, clock.clock, deadline, 'runs without reason' from clock
        join timer on work_order_id = clock.id and timer.clock = clock.clock
        where deadline is distinct from due_at or met_at is not null
        or clock.state <> all(%(working)s::work_order_state[])
        order by 1, 3
    """,
    "timer_fits_its_subject": """
        select timer.id as timer, timer.kind, timer.condition_id as condition, timer.point_id as point,
               timer.alarm_id as alarm, timer.permit_id as permit, due_at
        from timer left join condition on condition.id = timer.condition_id left join point on point.id = timer.point_id
        left join alarm on alarm.id = timer.alarm_id left join work_permit on work_permit.id = timer.permit_id
        where case timer.kind
            when 'on_delay' then condition.retired_at is not null or condition.state = any(%(active)s::condition_state[])
            when 'off_delay' then condition.retired_at is not null or condition.state <> all(%(active)s::condition_state[])
            when 'event_hold' then point.retired_at is not null or point.kind <> 'event'
            when 'shelving' then condition.shelved_until is distinct from due_at
            when 'realarm' then condition.state <> 'ACKED'
            when 'order_due' then alarm.ended_at is not null
            when 'permit' then work_permit.ended_at is not null or work_permit.valid_until <> due_at
            else false
        end order by timer.id
    """,
    "shelving_and_permit_have_their_timer": """
        select 'condition' as subject, id, shelved_until as until from condition where shelved_until is not null
        and not exists (select from timer where kind = 'shelving' and condition_id = condition.id)
        union all
        select 'work permit', id, valid_until from work_permit where ended_at is null
        and not exists (select from timer where kind = 'permit' and permit_id = work_permit.id)
        order by 1, 2
    """,
    "permit_ends_as_it_says": """
        select id as permit, valid_until, ended_at, ended_by, overrun from work_permit
        where ended_at < issued_at or ended_at > valid_until and overrun
        or overrun and (ended_at is null or ended_by <> 'clock') order by id
    """,
}

PROOF: Mapping[str, LiteralString] = {
    "dossier_chain_unbroken": """
        with told as (
            select facility_id, seq, previous_hash, row_number() over chain as place,
                   lag(hash, 1, decode(repeat('00', 32), 'hex')) over chain as came_from
            from dossier_entry window chain as (partition by facility_id order by seq)
        )
        select facility_id as facility, seq from told where seq <> place or previous_hash <> came_from order by 1, 2
    """,
    "dossier_hash_is_of_its_bytes": """
        select facility_id as facility, seq from dossier_entry where hash <> sha256(previous_hash || body) order by 1, 2
    """,
    "dossier_ends_where_its_facility_says": """
        select facility.id as facility, chain_length, count(entry.id) as entries
        from facility left join dossier_entry as entry on facility_id = facility.id
        group by facility.id, chain_length, chain_head
        having chain_length <> count(entry.id) or chain_head is distinct from (array_agg(entry.hash order by seq desc))[1]
        order by 1
    """,
    "dossier_has_every_move": """
        with moves as (
            select facility_id, 'condition' as kind, count(*) from condition_event
            join condition on condition.id = condition_id group by facility_id
            union all
            select facility_id, 'work_order', count(*) from work_order_event
            join work_order on work_order.id = work_order_id group by facility_id
        ), entries as (
            select facility_id, kind, count(*) from dossier_entry where kind in ('condition', 'work_order') group by 1, 2
        )
        select facility_id as facility, kind, moves.count as moves, entries.count as entries
        from moves full join entries using (facility_id, kind) where moves.count is distinct from entries.count
        order by 1, 2
    """,
    "outbox_tells_in_order_and_to_the_end": """
        with told as (
            select id, kind, subject_id, version, lag(version) over stream as before, lead(id) over stream as next
            from outbox window stream as (partition by kind, subject_id order by id)
        )
        select kind, subject_id as subject, version, 'older than the notice before it' as fault from told where version < before
        union all
        select 'alarm', alarm.id, told.version, 'not the newest' from told join alarm on alarm.id = subject_id
        where kind = 'alarm' and next is null and told.version <> alarm.version
        order by 1, 2
    """,
}

INTAKE: Mapping[str, LiteralString] = {
    "account_balances": """
        select minute, site_key, gateway_key, received, accepted, duplicate, quarantined, values_received, stored,
               repeated, conflict, refused, late
        from intake_account where received <> accepted + duplicate + quarantined
        or values_received <> stored + repeated + conflict + refused or late > stored
        or least(accepted, duplicate, quarantined, stored, repeated, conflict, refused, late, seq_gaps) < 0
        order by 1, 2, 3
    """,
    # Readings may be removed when they are past their keeping; none may be there that nobody accounted for.
    "account_covers_every_reading": """
        select stored, readings from (select coalesce(sum(stored), 0) as stored from intake_account) as account,
        (select count(*) as readings from reading where point_id <> all (array(select point.id from point
        join facility on facility.id = facility_id where facility.kind = 'ingest_service'))) as counted
        where readings > stored
    """,
    "quarantine_has_what_was_refused": """
        select account.quarantined, refusals
        from (select coalesce(sum(quarantined), 0) as quarantined from intake_account) as account,
        (select coalesce(sum(count), 0) as refusals from quarantine) as kept where account.quarantined > refusals
    """,
    "quarantine_is_bounded": """
        select id, site_key, topic, reason, count, jsonb_array_length(samples) as samples from quarantine
        where jsonb_array_length(samples) > least(count, 10) or first_at > last_at or exists (
            select from jsonb_array_elements(samples) as sample where case sample ->> 'encoding'
                when 'base64' then length(decode(sample ->> 'payload', 'base64'))
                else octet_length(sample ->> 'payload') end > 4096
        )
        union all
        select null, site_key, 'more topics than any setting allows', null, count(distinct topic), null from quarantine
        group by site_key having count(distinct topic) > 10001
        order by 1
    """,
}

INVENTORY: Mapping[str, LiteralString] = {
    "location_tree_has_no_circle": """
        with recursive above as (
            select id as location, parent_id as ancestor from location
            union
            select above.location, location.parent_id from above join location on location.id = above.ancestor
        )
        select location from above where location = ancestor order by 1
    """,
    "asset_stands_alone": """
        select earlier.facility_id as facility, earlier.part_id as part, earlier.id as asset, later.id as other
        from asset as earlier join asset as later on later.facility_id = earlier.facility_id
        and later.part_id is not distinct from earlier.part_id and later.id > earlier.id
        where daterange(earlier.installed_on, earlier.removed_on) && daterange(later.installed_on, later.removed_on)
        order by 1, 2, 3
    """,
    "gateway_is_a_facility_of_its_kind": """
        select facility.id as facility, facility.key, facility.kind, gateway.key as gateway
        from facility full join gateway on gateway.facility_id = facility.id
        where (facility.kind is not distinct from 'gateway') <> (gateway.id is not null)
        or gateway.key <> facility.key or (gateway.id is not null and facility.gateway_id is not null)
        order by 1
    """,
    "point_is_named_after_its_part": """
        select point.id as point, point.key, part.key as part from point left join part on part.id = part_id
        where split_part(point.key, '.', 1) is distinct from part.key and strpos(point.key, '.') > 0
        or (strpos(point.key, '.') > 0) <> (part.id is not null) order by 1
    """,
    "code_belongs_to_an_enumeration": """
        select point.id as point, point.key, count(code) as codes from point left join point_code on point_id = point.id
        where kind = 'enum' and point.retired_at is null or code is not null
        group by point.id, point.key, kind having (count(code) > 0) <> (kind = 'enum') order by 1
    """,
    "reading_is_of_a_point": """
        with recursive measured as (
            select min(point_id) as point_id from reading
            union all
            select (select min(point_id) from reading where reading.point_id > measured.point_id) from measured
            where measured.point_id is not null
        )
        select point_id as point from measured where point_id is not null
        and not exists (select from point where point.id = measured.point_id) order by 1
    """,
}

HISTORY: Mapping[str, LiteralString] = {
    # While an hour is noted as stale, or its readings are gone, it need not say what is there now.
    "hour_says_what_its_readings_say": """
        with there as (
            select point_id, date_bin('1 hour', ts, timestamptz 'epoch') as hour,
                   min(value) filter (where quality = 0) as minimum, max(value) filter (where quality = 0) as maximum,
                   avg(value) filter (where quality = 0 and abs(value) <= 1e100) as mean,
                   max(ts) filter (where quality = 0) as last_at,
                   count(*) filter (where quality = 0) as count, count(*) filter (where quality <> 0) as bad
            from reading group by 1, 2
        )
        select there.point_id as point, there.hour, there.count, made.count as made_count, there.mean, made.mean as made_mean
        from there join point on point.id = there.point_id join site_history as history on history.site_id = point.site_id
        left join reading_hour as made on made.point_id = there.point_id and made.hour = there.hour
        where there.hour < history.rolled_until and made.has_readings is not false
        and not exists (select from stale_hour where stale_hour.point_id = there.point_id and stale_hour.hour = there.hour)
        and ((there.minimum, there.maximum, there.last_at, there.count, there.bad)
             is distinct from (made.minimum, made.maximum, made.last_at, made.count, made.bad)
             or (there.mean is null) <> (made.mean is null)
             or abs(there.mean - made.mean) > 1e-9 * greatest(abs(there.minimum), abs(there.maximum))
             or made.last is distinct from (select value from reading
                                            where point_id = there.point_id and ts = there.last_at))
        order by 1, 2
    """,
    # Dropped with its hour made, or there: a reading that was stored is not lost.
    "no_reading_is_lost": """
        select stored, readings, in_hours, forgotten
        from (select coalesce(sum(stored), 0) as stored from intake_account) as account,
        (select count(*) as readings from reading) as counted,
        (select coalesce(sum(count + bad), 0) as in_hours from reading_hour where not has_readings) as dropped,
        (select coalesce(sum(forgotten), 0) as forgotten from site_history) as past
        where stored > readings + in_hours + forgotten
    """,
}

QUERIES: Mapping[str, LiteralString] = {
    **ALARMS,
    **JOURNALS,
    **TIME,
    **PROOF,
    **INTAKE,
    **INVENTORY,
    **HISTORY,
    **INSPECTION,
}

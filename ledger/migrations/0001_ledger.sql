-- The ledger: what exists, what was measured, what is wrong, who deals with it, and the proof of all that.
-- Every site-scoped table carries site_id and refers to its parents by (site_id, id), so that no row can point into
-- another site. Time never comes from the server's clock: callers pass it, because a smoke run lives faster.

create domain ledger_key as text constraint ledger_key_shape check (value ~ '^[a-z0-9_-]{1,64}$');

create type risk_grade as enum ('A', 'B', 'C');
create type point_kind as enum ('measure', 'state', 'enum', 'counter', 'event');
create type severity as enum ('warning', 'critical', 'life_safety');
create type priority as enum ('low', 'medium', 'high', 'urgent');
create type condition_state as enum ('NORM', 'UNACK', 'ACKED', 'RTNUN', 'LATUN', 'LATACK');
create type condition_move as enum (
    'raise', 'clear', 'latch', 'acknowledge', 'reset', 'realarm', 'unshelve', 'unshelve_expired',
    'shelve', 'suppress', 'unsuppress', 'remove_from_service', 'return_to_service'
);
create type work_order_state as enum (
    'opened', 'dispatched', 'accepted', 'arrived', 'planned', 'resolved', 'verified', 'closed', 'suspended', 'cancelled'
);
create type work_order_move as enum (
    'open', 'join', 'link', 'dispatch', 'accept', 'arrive', 'plan', 'resolve', 'verify', 'close',
    'suspend', 'resume', 'cancel', 'reopen', 'breach', 'note', 'alarm_cleared'
);
create type work_order_clock as enum ('accept_by', 'arrive_by', 'plan_by', 'restore_by');
create type permit_kind as enum ('test', 'work');
create type timer_kind as enum ('on_delay', 'off_delay', 'event_hold', 'shelving', 'realarm', 'order_due', 'order_clock', 'permit');

-- ---------------------------------------------------------------- what exists

create table site (
    id          int generated always as identity primary key,
    key         ledger_key not null constraint site_key_unique unique,
    name_zh     text not null,
    name_en     text not null,
    time_zone   text not null,
    round_at    time not null default '08:00',
    sla_profile text not null,
    revision    bigint not null default 0,       -- grows with every change that ingest must reload: facilities, permits, parameters
    created_at  timestamptz not null
);

create table location (
    id        int generated always as identity primary key,
    site_id   int not null references site (id),
    parent_id int,
    key       ledger_key not null,
    name_zh   text not null,
    name_en   text not null,
    constraint location_site_id_unique unique (site_id, id),
    constraint location_key_unique unique (site_id, key),
    constraint location_parent_same_site foreign key (site_id, parent_id) references location (site_id, id),
    constraint location_not_own_parent check (parent_id <> id)
);
create index location_parent on location (parent_id);

create table facility (
    id           int generated always as identity primary key,
    site_id      int not null references site (id),
    location_id  int not null,
    gateway_id   int,                            -- the gateway that speaks for it; null: seen by people only
    key          ledger_key not null,
    kind         ledger_key not null,            -- names the rule pack
    grade        risk_grade not null,
    name_zh      text not null,
    name_en      text not null,
    retired_at   timestamptz,
    chain_length bigint not null default 0,      -- of its dossier
    chain_head   bytea,
    constraint facility_site_id_unique unique (site_id, id),
    constraint facility_key_unique unique (site_id, key),
    constraint facility_location_same_site foreign key (site_id, location_id) references location (site_id, id),
    constraint facility_chain_head_whole check ((chain_length = 0) = (chain_head is null))
);
create index facility_location on facility (location_id);
create index facility_gateway on facility (gateway_id);

-- A gateway is itself a facility, of kind 'gateway': its loss is one alarm like any other.
create table gateway (
    id              int generated always as identity primary key,
    site_id         int not null references site (id),
    facility_id     int not null constraint gateway_facility_unique unique,
    key             ledger_key not null,
    online          boolean,                     -- null: it has never said
    online_since    timestamptz,                 -- the `since` of the status that told so, device time
    heard_at        timestamptz,                 -- last message, our time
    clock_offset_ms int,                         -- measured: our time of receipt minus its own, the steady part
    last_seq        bigint,
    seq_gaps        bigint not null default 0,
    constraint gateway_site_id_unique unique (site_id, id),
    constraint gateway_key_unique unique (site_id, key),
    constraint gateway_facility_same_site foreign key (site_id, facility_id) references facility (site_id, id)
);
alter table facility add constraint facility_gateway_same_site
    foreign key (site_id, gateway_id) references gateway (site_id, id) deferrable initially deferred;

create table facility_relation (
    site_id     int not null references site (id),
    facility_id int not null,
    name        ledger_key not null,             -- 'supplied_by', 'standby' ... as its pack names it
    target_id   int not null,
    constraint facility_relation_pkey primary key (facility_id, name),
    constraint facility_relation_same_site foreign key (site_id, facility_id) references facility (site_id, id),
    constraint facility_relation_target_same_site foreign key (site_id, target_id) references facility (site_id, id),
    constraint facility_relation_not_self check (facility_id <> target_id)
);
create index facility_relation_target on facility_relation (target_id);

create table part (
    id          int generated always as identity primary key,
    site_id     int not null references site (id),
    facility_id int not null,
    key         ledger_key not null,             -- 'pump_1'
    kind        ledger_key not null,             -- 'pump'
    name_zh     text not null,
    name_en     text not null,
    constraint part_facility_id_unique unique (facility_id, id),
    constraint part_key_unique unique (facility_id, key),
    constraint part_facility_same_site foreign key (site_id, facility_id) references facility (site_id, id)
);

create table asset (
    id              int generated always as identity primary key,
    site_id         int not null references site (id),
    facility_id     int not null,
    part_id         int,
    maker           text not null,
    model           text not null,
    serial          text,
    manufactured_on date,
    installed_on    date not null,
    removed_on      date,
    constraint asset_facility_same_site foreign key (site_id, facility_id) references facility (site_id, id),
    constraint asset_part_same_facility foreign key (facility_id, part_id) references part (facility_id, id),
    constraint asset_dates_in_order check (manufactured_on <= installed_on and installed_on <= removed_on)
);
-- One piece in one place at a time.
create unique index asset_one_installed on asset (facility_id, part_id) nulls not distinct where removed_on is null;

create table point (
    id               int generated always as identity primary key,
    site_id          int not null references site (id),
    facility_id      int not null,
    part_id          int,
    key              text not null,              -- as on the wire: 'outlet_pressure', 'pump_1.run'
    kind             point_kind not null,
    unit             text not null default '',
    scale            float8 not null default 1,  -- stored value = wire value * scale + shift
    shift            float8 not null default 0,
    range_min        float8,                     -- outside: bad quality, the sensor is not believed
    range_max        float8,
    report_interval_s float8,                    -- null: reports on change, fresh while its gateway is online
    hold_s           float8,                     -- events: an occurrence ends after this without a `false`
    name_zh          text not null,
    name_en          text not null,
    retired_at       timestamptz,
    constraint point_site_id_unique unique (site_id, id),
    constraint point_key_unique unique (facility_id, key),
    constraint point_facility_same_site foreign key (site_id, facility_id) references facility (site_id, id),
    constraint point_part_same_facility foreign key (facility_id, part_id) references part (facility_id, id),
    constraint point_key_shape check (key ~ '^([a-z0-9_-]{1,64}\.)?[a-z0-9_-]{1,64}$'),
    constraint point_scale_not_zero check (scale <> 0),
    constraint point_range_in_order check (range_min < range_max),
    constraint point_report_interval_positive check (report_interval_s > 0),
    constraint point_hold_for_events check ((kind = 'event') = (hold_s is not null)),
    constraint point_hold_positive check (hold_s > 0)
);

-- The labels of an enumeration, append-only: a stored code keeps its meaning for ever.
create table point_code (
    site_id  int not null references site (id),
    point_id int not null,
    code     smallint not null,
    label    text not null,
    constraint point_code_pkey primary key (point_id, code),
    constraint point_code_point_same_site foreign key (site_id, point_id) references point (site_id, id),
    constraint point_code_label_unique unique (point_id, label)
);

-- ---------------------------------------------------------------- what was measured

-- quality: 0 good, 1 the sensor says it is broken, 2 outside the plausible range. Value is NaN only with quality 1.
create table reading (
    point_id int not null,
    ts       timestamptz not null,
    value    float8 not null,
    quality  smallint not null default 0,
    constraint reading_pkey primary key (point_id, ts),
    constraint reading_quality_known check (quality between 0 and 2),
    constraint reading_value_finite check (
        value <> 'NaN' and value <> 'Infinity' and value <> '-Infinity' or (quality = 1 and value = 'NaN')
    )
);

-- Promise 2, one row per minute of receipt, site and gateway: received = accepted + duplicate + quarantined messages,
-- values = stored + repeated + conflicting + refused.
create table intake_account (
    minute      timestamptz not null,
    site_key    text not null,                   -- as on the wire; '' when the topic names none we know
    gateway_key text not null default '',
    received    bigint not null default 0,
    accepted    bigint not null default 0,
    duplicate   bigint not null default 0,
    quarantined bigint not null default 0,
    values_received bigint not null default 0,
    stored      bigint not null default 0,
    repeated    bigint not null default 0,
    conflict    bigint not null default 0,
    refused     bigint not null default 0,
    late        bigint not null default 0,       -- of those stored
    seq_gaps    bigint not null default 0,
    constraint intake_account_pkey primary key (minute, site_key, gateway_key),
    constraint intake_account_messages_balance check (received = accepted + duplicate + quarantined),
    constraint intake_account_values_balance check (values_received = stored + repeated + conflict + refused),
    constraint intake_account_late_stored check (late <= stored)
);

create table quarantine (
    id       bigint generated always as identity primary key,
    site_key text not null,
    topic    text not null,
    reason   text not null,
    count    bigint not null,
    first_at timestamptz not null,
    last_at  timestamptz not null,
    samples  jsonb not null default '[]',        -- newest ten: {"at":…, "detail":…, "payload":… (base64 where not text), "truncated":…}
    constraint quarantine_topic_reason_unique unique (site_key, topic, reason),
    constraint quarantine_count_positive check (count > 0),
    constraint quarantine_times_in_order check (first_at <= last_at),
    constraint quarantine_samples_bounded check (
        jsonb_array_length(samples) <= least(count, 10) and octet_length(samples::text) <= 131072
    )
);

-- ---------------------------------------------------------------- what is wrong

create table condition (
    id             int generated always as identity primary key,
    site_id        int not null references site (id),
    facility_id    int not null,
    part_id        int,
    rule_key       ledger_key not null,
    severity       severity not null,
    state          condition_state not null default 'NORM',
    state_since    timestamptz,
    suppressed     boolean not null default false,
    out_of_service boolean not null default false,
    out_of_service_reason text,
    shelved_until  timestamptz,
    shelved_one_shot boolean not null default false,
    shelved_by     text,
    moved_at       timestamptz,                  -- when the rules last moved it, device time: where a restart goes on
    journal_length bigint not null default 0,
    retired_at     timestamptz,                  -- its rule or part is gone; the row stays for its history
    constraint condition_site_id_unique unique (site_id, id),
    constraint condition_facility_id_unique unique (facility_id, id),
    constraint condition_identity_unique unique nulls not distinct (facility_id, part_id, rule_key),
    constraint condition_facility_same_site foreign key (site_id, facility_id) references facility (site_id, id),
    constraint condition_part_same_facility foreign key (facility_id, part_id) references part (facility_id, id),
    constraint condition_shelved_by_someone check ((shelved_until is null) = (shelved_by is null))
);

create table alarm (
    id            bigint generated always as identity primary key,
    site_id       int not null references site (id),
    condition_id  int not null,
    facility_id   int not null,
    severity      severity not null,
    priority      priority not null,
    priority_reason text not null,               -- named reason of the response table
    began_at      timestamptz not null,          -- device time, past the on-delay
    raised_at     timestamptz not null,          -- our time
    rang_at       timestamptz,                   -- when people were told; null: not (yet), or historical
    returned_at   timestamptz,                   -- device time, process last back to normal
    acknowledged_at timestamptz,
    acknowledged_by text,
    ended_at      timestamptz,                   -- back to NORM
    occurrences   int not null default 1,        -- raises within this alarm
    late          boolean not null default false,     -- a latched occurrence that arrived late
    historical    boolean not null default false,     -- began and ended before it arrived
    order_reason  text,                          -- why it opened, joined, links to or waits for a work order
    explanation   jsonb not null,                -- rule, values, limits, delays at the moment of raising
    version       int not null default 1,
    constraint alarm_site_id_unique unique (site_id, id),
    constraint alarm_condition_same_site foreign key (site_id, condition_id) references condition (site_id, id),
    constraint alarm_facility_same_site foreign key (site_id, facility_id) references facility (site_id, id),
    constraint alarm_condition_same_facility foreign key (facility_id, condition_id) references condition (facility_id, id),
    constraint alarm_acknowledged_by_someone check ((acknowledged_at is null) = (acknowledged_by is null)),
    constraint alarm_historical_is_silent check (not historical or (rang_at is null and ended_at is not null)),
    constraint alarm_occurrences_positive check (occurrences > 0)
);
-- Promise 3: at most one open alarm per facility, part and rule.
create unique index alarm_one_open on alarm (condition_id) where ended_at is null;
create index alarm_by_site_time on alarm (site_id, raised_at desc, id desc);
create index alarm_by_facility on alarm (facility_id, began_at desc);
create index alarm_by_condition on alarm (condition_id, began_at);

create index alarm_waiting_to_ring on alarm (site_id, id) where rang_at is null and ended_at is null;

create table alarm_note (
    id       bigint generated always as identity primary key,
    site_id  int not null references site (id),
    alarm_id bigint not null,
    text     text not null constraint alarm_note_bounded check (length(text) between 1 and 4000),
    actor    text not null,
    at       timestamptz not null,
    constraint alarm_note_alarm_same_site foreign key (site_id, alarm_id) references alarm (site_id, id)
);
create index alarm_note_alarm on alarm_note (alarm_id, id);

-- Every move of every condition; replayed in order of seq it gives the state (promise 8).
create table condition_event (
    id           bigint generated always as identity primary key,
    site_id      int not null references site (id),
    condition_id int not null,
    seq          bigint not null,
    move         condition_move not null,
    from_state   condition_state not null,
    to_state     condition_state not null,
    at           timestamptz not null,           -- device time for the process, our time for people
    recorded_at  timestamptz not null,
    alarm_id     bigint,
    actor        text not null,                  -- 'rules', 'clock', or a person
    reason       text not null,                  -- named reason
    note         text,
    detail       jsonb not null default '{}',
    constraint condition_event_seq_unique unique (condition_id, seq),
    constraint condition_event_condition_same_site foreign key (site_id, condition_id) references condition (site_id, id),
    constraint condition_event_alarm_same_site foreign key (site_id, alarm_id) references alarm (site_id, id)
);
create index condition_event_alarm on condition_event (alarm_id);

-- ---------------------------------------------------------------- who deals with it

create table work_order (
    id            bigint generated always as identity primary key,
    site_id       int not null references site (id),
    facility_id   int not null,
    work_class    ledger_key not null,
    title_zh      text not null,                 -- opened by hand: what the person wrote, in both
    title_en      text not null,
    severity      severity,                      -- of the worst alarm; null: opened by hand
    priority      priority not null,
    state         work_order_state not null default 'opened',
    suspended_from work_order_state,
    suspended_at  timestamptz,
    suspended_reason text,
    opened_at     timestamptz not null,
    opened_by     text not null,
    open_reason   text not null,                 -- named reason
    assignee      text,
    accept_by     timestamptz,
    arrive_by     timestamptz,
    plan_by       timestamptz,
    restore_by    timestamptz,
    accepted_at   timestamptz,
    arrived_at    timestamptz,
    planned_at    timestamptz,
    resolved_at   timestamptz,
    ended_at      timestamptz,                   -- closed or cancelled
    journal_length bigint not null default 0,
    constraint work_order_site_id_unique unique (site_id, id),
    constraint work_order_facility_same_site foreign key (site_id, facility_id) references facility (site_id, id),
    constraint work_order_suspension_whole check (
        (state = 'suspended') = (suspended_from is not null)
        and (state = 'suspended') = (suspended_at is not null)
        and (state = 'suspended') = (suspended_reason is not null)
    ),
    constraint work_order_suspended_from_working check (
        suspended_from in ('opened', 'dispatched', 'accepted', 'arrived', 'planned')
    ),
    constraint work_order_end_final check ((state in ('closed', 'cancelled')) = (ended_at is not null)),
    constraint work_order_taken_by_someone check (
        assignee is not null or coalesce(suspended_from, state) in ('opened', 'cancelled')
    )
);
create index work_order_by_site_time on work_order (site_id, opened_at desc, id desc);
create index work_order_unresolved on work_order (facility_id, work_class)
    where state in ('opened', 'dispatched', 'accepted', 'arrived', 'planned', 'suspended');

create table work_order_alarm (
    site_id       int not null references site (id),
    work_order_id bigint not null,
    alarm_id      bigint not null,
    reason        text not null,                 -- named reason of the joining rule
    linked_at     timestamptz not null,
    constraint work_order_alarm_pkey primary key (work_order_id, alarm_id),
    constraint work_order_alarm_order_same_site foreign key (site_id, work_order_id) references work_order (site_id, id),
    constraint work_order_alarm_alarm_same_site foreign key (site_id, alarm_id) references alarm (site_id, id)
);
create index work_order_alarm_alarm on work_order_alarm (alarm_id);

create table work_order_event (
    id            bigint generated always as identity primary key,
    site_id       int not null references site (id),
    work_order_id bigint not null,
    seq           bigint not null,
    move          work_order_move not null,
    from_state    work_order_state not null,
    to_state      work_order_state not null,
    clock         work_order_clock,              -- the one a breach missed
    at            timestamptz not null,
    recorded_at   timestamptz not null,
    actor         text not null,
    reason        text not null,
    note          text,
    detail        jsonb not null default '{}',
    constraint work_order_event_seq_unique unique (work_order_id, seq),
    constraint work_order_event_order_same_site foreign key (site_id, work_order_id) references work_order (site_id, id),
    constraint work_order_event_breach_names_clock check ((move = 'breach') = (clock is not null))
);
-- A clock is missed once per deadline; a reopened order may miss its new one.
create unique index work_order_event_breach_once on work_order_event (work_order_id, clock, at) where move = 'breach';

create table work_permit (
    id          bigint generated always as identity primary key,
    site_id     int not null references site (id),
    facility_id int not null,
    part_id     int,                             -- null: the whole facility
    kind        permit_kind not null,
    rules       text[] not null,                 -- the rules it silences, by key; no others
    holder      text not null,
    reason      text not null,
    valid_from  timestamptz not null,
    valid_until timestamptz not null,
    issued_by   text not null,
    issued_at   timestamptz not null,
    ended_at    timestamptz,                     -- handed back, or expired
    ended_by    text,
    overrun     boolean not null default false,  -- expired without being handed back
    constraint work_permit_site_id_unique unique (site_id, id),
    constraint work_permit_facility_same_site foreign key (site_id, facility_id) references facility (site_id, id),
    constraint work_permit_part_same_facility foreign key (facility_id, part_id) references part (facility_id, id),
    constraint work_permit_bounded check (valid_from < valid_until and valid_until <= valid_from + interval '7 days'),
    constraint work_permit_names_rules check (cardinality(rules) between 1 and 50),
    constraint work_permit_ended_by_someone check ((ended_at is null) = (ended_by is null))
);
create index work_permit_standing on work_permit (facility_id) where ended_at is null;
create index work_permit_ended on work_permit (site_id, ended_at desc, id desc) where ended_at is not null;

-- ---------------------------------------------------------------- time that must survive a restart

-- Exactly one subject. due_at is device time for delays and holds, our time for the rest.
create table timer (
    id            bigint generated always as identity primary key,
    site_id       int not null references site (id),
    kind          timer_kind not null,
    condition_id  int,
    point_id      int,
    alarm_id      bigint,
    work_order_id bigint,
    permit_id     bigint,
    clock         work_order_clock,
    since         timestamptz not null,
    due_at        timestamptz not null,
    frozen_at     timestamptz,                   -- a delay stands still while its rule is unknown
    constraint timer_subject unique nulls not distinct (kind, condition_id, point_id, alarm_id, work_order_id, permit_id, clock),
    constraint timer_condition_same_site foreign key (site_id, condition_id) references condition (site_id, id),
    constraint timer_alarm_same_site foreign key (site_id, alarm_id) references alarm (site_id, id),
    constraint timer_order_same_site foreign key (site_id, work_order_id) references work_order (site_id, id),
    constraint timer_point_same_site foreign key (site_id, point_id) references point (site_id, id),
    constraint timer_permit_same_site foreign key (site_id, permit_id) references work_permit (site_id, id),
    constraint timer_one_subject check (num_nonnulls(condition_id, point_id, alarm_id, work_order_id, permit_id) = 1),
    constraint timer_subject_fits_kind check (
        case kind
            when 'event_hold' then point_id is not null
            when 'order_due' then alarm_id is not null
            when 'order_clock' then work_order_id is not null and clock is not null
            when 'permit' then permit_id is not null
            else condition_id is not null
        end
    ),
    constraint timer_frozen_delays_only check (frozen_at is null or kind in ('on_delay', 'off_delay'))
);
create index timer_due on timer (kind, due_at);
create index timer_condition on timer (condition_id) where condition_id is not null;
create index timer_alarm on timer (alarm_id) where alarm_id is not null;
create index timer_work_order on timer (work_order_id) where work_order_id is not null;

create table rule_parameter (
    id          bigint generated always as identity primary key,
    site_id     int not null references site (id),
    facility_id int not null,
    name        text not null,                   -- 'setpoint', 'pump_1.rated_current'
    value       float8 not null,
    author      text not null,
    reason      text not null,
    set_at      timestamptz not null,            -- the newest row of a name is in force; the others are its history
    constraint rule_parameter_facility_same_site foreign key (site_id, facility_id) references facility (site_id, id),
    constraint rule_parameter_finite check (value not in ('NaN', 'Infinity', '-Infinity'))
);
create index rule_parameter_in_force on rule_parameter (facility_id, name, id desc);

-- ---------------------------------------------------------------- the proof

-- One machine, one file (一机一档). hash = sha256(previous hash || body), over exactly the bytes stored in body.
create table dossier_entry (
    id            bigint generated always as identity primary key,
    site_id       int not null references site (id),
    facility_id   int not null,
    seq           bigint not null,
    recorded_at   timestamptz not null,
    kind          ledger_key not null,
    body          bytea not null,                -- UTF-8 JSON
    previous_hash bytea not null,                -- of seq - 1; 32 zero bytes for the first
    hash          bytea not null,
    constraint dossier_entry_seq_unique unique (facility_id, seq),
    constraint dossier_entry_facility_same_site foreign key (site_id, facility_id) references facility (site_id, id),
    constraint dossier_entry_hash_holds check (hash = sha256(previous_hash || body))
);

-- What leaves the ledger: read by the live stream in order of (transaction, id), and by the publisher of alarms.
create table outbox (
    id           bigint generated always as identity primary key,
    transaction  xid8 not null default pg_current_xact_id(),
    site_id      int not null references site (id),
    topic        text,                           -- MQTT topic, or null: for the live stream only
    kind         ledger_key not null,            -- 'alarm', 'work_order', 'facility' ...
    subject_id   bigint not null,
    version      int not null,
    payload      jsonb not null,
    created_at   timestamptz not null,
    published_at timestamptz,
    constraint outbox_published_has_topic check (published_at is null or topic is not null)
);
create index outbox_stream on outbox (transaction, id);
create index outbox_unpublished on outbox (site_id, id) where topic is not null and published_at is null;

-- The answer given to a POST with an Idempotency-Key, given again to its repetition.
create table idempotency (
    key          text not null constraint idempotency_key_bounded check (length(key) between 1 and 200),
    actor        text not null,
    request_hash bytea not null,
    status       smallint,
    body         jsonb,
    created_at   timestamptz not null,
    constraint idempotency_pkey primary key (actor, key)
);

-- ---------------------------------------------------------------- append-only

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: % refused', tg_table_name, tg_op using errcode = 'restrict_violation';
end
$$;

create trigger dossier_entry_append_only before update or delete on dossier_entry for each row execute function refuse_change();
create trigger dossier_entry_no_truncate before truncate on dossier_entry for each statement execute function refuse_change();
create trigger condition_event_append_only before update or delete on condition_event for each row execute function refuse_change();
create trigger condition_event_no_truncate before truncate on condition_event for each statement execute function refuse_change();
create trigger work_order_event_append_only before update or delete on work_order_event for each row execute function refuse_change();
create trigger work_order_event_no_truncate before truncate on work_order_event for each statement execute function refuse_change();
create trigger point_code_append_only before update or delete on point_code for each row execute function refuse_change();
create trigger point_code_no_truncate before truncate on point_code for each statement execute function refuse_change();
create trigger rule_parameter_append_only before update or delete on rule_parameter for each row execute function refuse_change();
create trigger rule_parameter_no_truncate before truncate on rule_parameter for each statement execute function refuse_change();

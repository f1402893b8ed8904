-- Walking rounds: tags on facilities, what people found when they scanned them, photos, plans and the rounds of a plan.
-- docs/inspection.md says how they hang together, docs/decisions/0024-inspection.md why.

create type tag_move as enum ('issue', 'print', 'retire');
create type scan_means as enum ('camera', 'photo_file', 'nfc', 'typed');
create type visit_outcome as enum ('in_order', 'defective', 'unfinished', 'unjudged');
create type visit_verdict as enum ('accepted', 'to_review', 'upheld', 'struck');
create type round_state as enum ('walking', 'finished', 'abandoned');
create type round_move as enum ('start', 'hand_over', 'take_over', 'finish', 'abandon');
create type round_period as enum ('day', 'week', 'month');

-- ---------------------------------------------------------------- tags

create table tag (
    id             bigint generated always as identity primary key,
    site_id        int not null references site (id),
    facility_id    int not null,
    code           text not null constraint tag_code_unique unique,  -- over all sites: whoever scans does not say whose it is
    replaces_id    bigint,                       -- the lost or copied tag in whose place it hangs
    issued_at      timestamptz not null,
    issued_by      text not null,
    retired_at     timestamptz,
    retired_by     text,
    retired_reason text,
    constraint tag_site_id_unique unique (site_id, id),
    constraint tag_facility_id_unique unique (facility_id, id),
    constraint tag_facility_same_site foreign key (site_id, facility_id) references facility (site_id, id),
    constraint tag_replaces_same_facility foreign key (facility_id, replaces_id) references tag (facility_id, id),
    constraint tag_replaced_once unique (replaces_id),
    constraint tag_code_shape check (code ~ '^[2346789CDFGHJKMPQRTVWXY]{12}$'),
    constraint tag_retired_by_someone_for_a_reason check (
        num_nonnulls(retired_at, retired_by, retired_reason) in (0, 3) and (retired_at is null or retired_reason <> '')
    )
);

create table tag_event (
    id      bigint generated always as identity primary key,
    site_id int not null references site (id),
    tag_id  bigint not null,
    move    tag_move not null,
    at      timestamptz not null,
    actor   text not null,
    note    text,
    constraint tag_event_tag_same_site foreign key (site_id, tag_id) references tag (site_id, id)
);
create index tag_event_of_tag on tag_event (tag_id, id);
create trigger tag_event_append_only before update or delete on tag_event for each row execute function refuse_change();
create trigger tag_event_no_truncate before truncate on tag_event for each statement execute function refuse_change();

-- ---------------------------------------------------------------- plans and rounds

create table inspection_plan (
    id         int generated always as identity primary key,
    site_id    int not null references site (id),
    key        ledger_key not null,
    name_zh    text not null,
    name_en    text not null,
    grid       text,                             -- 网格
    officer    text not null,                    -- who answers for it, and looks at what is to review
    substitute text,
    period     round_period not null,
    days       int[] not null,                   -- of the week (1 Monday) or the month; empty for every day
    starts_at  time not null,                    -- local time of the site; several rounds a day are several plans
    window_min int not null,
    ordered    boolean not null,                 -- the stops are walked in their order
    made_at    timestamptz not null,
    made_by    text not null,
    retired_at timestamptz,
    constraint inspection_plan_site_id_unique unique (site_id, id),
    constraint inspection_plan_key_unique unique (site_id, key),
    constraint inspection_plan_window_bounded check (window_min between 5 and 1440),
    constraint inspection_plan_days_fit check (
        case period when 'day' then cardinality(days) = 0 when 'week' then cardinality(days) between 1 and 7 and 1 <= all (days) and 7 >= all (days)
        else cardinality(days) between 1 and 31 and 1 <= all (days) and 31 >= all (days) end
    )
);

create table inspection_plan_stop (
    site_id     int not null references site (id),
    plan_id     int not null,
    seq         int not null,
    facility_id int not null,
    leg_s       int not null,                    -- nobody walks here from the stop before in less
    dwell_s     int not null,                    -- nobody looks at it in less
    constraint inspection_plan_stop_pkey primary key (plan_id, seq),
    constraint inspection_plan_stop_once unique (plan_id, facility_id),
    constraint inspection_plan_stop_plan_same_site foreign key (site_id, plan_id) references inspection_plan (site_id, id),
    constraint inspection_plan_stop_facility_same_site foreign key (site_id, facility_id) references facility (site_id, id),
    constraint inspection_plan_stop_takes_time check (seq >= 1 and leg_s >= 0 and dwell_s >= 0)
);

-- A round of a plan, from its start on. One that nobody started has no row: its window is over without one.
create table inspection_round (
    id             bigint generated always as identity primary key,
    site_id        int not null references site (id),
    plan_id        int not null,
    window_from    timestamptz not null,
    window_until   timestamptz not null,
    state          round_state not null,
    guard          text not null,                -- who walks it now
    started_at     timestamptz not null,
    ended_at       timestamptz,
    journal_length int not null default 0,
    constraint inspection_round_site_id_unique unique (site_id, id),
    constraint inspection_round_once unique (plan_id, window_from),
    constraint inspection_round_plan_same_site foreign key (site_id, plan_id) references inspection_plan (site_id, id),
    constraint inspection_round_window_in_order check (window_from < window_until),
    constraint inspection_round_end_final check ((ended_at is null) = (state = 'walking'))
);

create table inspection_round_event (
    id         bigint generated always as identity primary key,
    site_id    int not null references site (id),
    round_id   bigint not null,
    seq        int not null,
    move       round_move not null,
    from_state round_state,                      -- null: it began
    to_state   round_state not null,
    guard      text not null,                    -- who walks it after the move
    at         timestamptz not null,
    actor      text not null,
    note       text,
    constraint inspection_round_event_seq_unique unique (round_id, seq),
    constraint inspection_round_event_round_same_site foreign key (site_id, round_id) references inspection_round (site_id, id),
    constraint inspection_round_event_begins check ((from_state is null) = (move = 'start'))
);
create trigger inspection_round_event_append_only before update or delete on inspection_round_event
    for each row execute function refuse_change();
create trigger inspection_round_event_no_truncate before truncate on inspection_round_event
    for each statement execute function refuse_change();

-- ---------------------------------------------------------------- visits

create table inspection_visit (
    id                uuid not null,             -- the phone made it: sent again, it is known
    site_id           int not null references site (id),
    facility_id       int,                       -- null: its tag leads to nothing of this site
    tag_id            bigint,
    round_id          bigint,
    said              text,                      -- what was read or typed, as it was
    means             scan_means not null,
    person            text not null,
    phone             text not null,
    checklist         ledger_key,
    checklist_version int,
    answers           jsonb not null default '{}',
    failed            text[] not null default '{}',  -- keys of the items that failed
    severity          severity,                  -- the worst of them
    outcome           visit_outcome not null,
    note              text,
    latitude          float8,
    longitude         float8,
    accuracy_m        float8,
    phone_scanned_at  timestamptz not null,      -- by the phone's clock, whatever that is worth
    phone_finished_at timestamptz not null,
    clock_offset_s    float8 not null,           -- ours less the phone's, at the time of sending
    scanned_at        timestamptz not null,      -- the phone's, set right by that and never later than received
    received_at       timestamptz not null,
    verdict           visit_verdict not null,
    reasons           text[] not null,           -- why it is to review, and what was told at once
    reviewed_at       timestamptz,
    reviewed_by       text,
    review_note       text,
    work_order_id     bigint,                    -- the one its failed items opened or joined
    content_hash      bytea not null,
    answer            jsonb not null,            -- what its sender was told, told again when it is sent again
    constraint inspection_visit_pkey primary key (id),
    constraint inspection_visit_site_id_unique unique (site_id, id),
    constraint inspection_visit_facility_same_site foreign key (site_id, facility_id) references facility (site_id, id),
    constraint inspection_visit_tag_same_facility foreign key (facility_id, tag_id) references tag (facility_id, id),
    constraint inspection_visit_round_same_site foreign key (site_id, round_id) references inspection_round (site_id, id),
    constraint inspection_visit_order_same_site foreign key (site_id, work_order_id) references work_order (site_id, id),
    constraint inspection_visit_tag_has_facility check (tag_id is null or facility_id is not null),
    constraint inspection_visit_bounded check (
        length(said) <= 400 and length(note) <= 4000 and length(phone) between 1 and 100
        and jsonb_typeof(answers) = 'object' and octet_length(answers::text) <= 65536 and cardinality(reasons) <= 50
    ),
    constraint inspection_visit_not_before_it_was_made check (scanned_at <= received_at),
    constraint inspection_visit_defects_named check (
        (outcome = 'defective') = (cardinality(failed) > 0) and (outcome = 'defective') = (severity is not null)
    ),
    constraint inspection_visit_judged_by_checklist check (
        outcome = 'unjudged' or num_nonnulls(facility_id, checklist, checklist_version) = 3
    ),
    constraint inspection_visit_reviewed_by_someone check (
        num_nonnulls(reviewed_at, reviewed_by) = case when verdict in ('upheld', 'struck') then 2 else 0 end
    ),
    constraint inspection_visit_to_review_for_a_reason check (verdict <> 'to_review' or cardinality(reasons) > 0)
);
create index inspection_visit_of_facility on inspection_visit (facility_id, scanned_at desc);
create index inspection_visit_of_site on inspection_visit (site_id, received_at desc, id);
create index inspection_visit_of_tag on inspection_visit (tag_id);
create index inspection_visit_of_round on inspection_visit (round_id);
create index inspection_visit_of_phone on inspection_visit (site_id, phone, scanned_at desc);
create index inspection_visit_of_person on inspection_visit (site_id, person, scanned_at desc);
create index inspection_visit_to_review on inspection_visit (site_id, received_at) where verdict = 'to_review';

-- The photos a visit says it has; they may arrive later, or never.
create table inspection_visit_photo (
    site_id  int not null references site (id),
    visit_id uuid not null,
    sha256   text not null,
    item     ledger_key,                         -- null: of the facility as a whole
    means    scan_means not null,
    constraint inspection_visit_photo_pkey primary key (visit_id, sha256),
    constraint inspection_visit_photo_visit_same_site foreign key (site_id, visit_id) references inspection_visit (site_id, id),
    constraint inspection_visit_photo_named_by_content check (sha256 ~ '^[0-9a-f]{64}$')
);
create index inspection_visit_photo_of_content on inspection_visit_photo (site_id, sha256);

-- The photos that arrived. The picture itself lies in the directory of photos under its hash.
create table inspection_photo (
    site_id     int not null references site (id),
    sha256      text not null,
    media_type  text not null,
    bytes       int not null,
    width       int not null,
    height      int not null,
    likeness    bigint not null,                 -- perceptual hash: few bits apart is the same scene
    uploaded_at timestamptz not null,
    uploaded_by text not null,
    constraint inspection_photo_pkey primary key (site_id, sha256),
    constraint inspection_photo_named_by_content check (sha256 ~ '^[0-9a-f]{64}$'),
    constraint inspection_photo_is_a_picture check (
        bytes > 0 and width > 0 and height > 0 and media_type in ('image/jpeg', 'image/png', 'image/webp')
    )
);
create index inspection_photo_of_site on inspection_photo (site_id, uploaded_at desc);

-- ---------------------------------------------------------------- who may

do $$
declare
    bound text;
begin
    foreach bound in array array[
        'tag', 'tag_event', 'inspection_plan', 'inspection_plan_stop', 'inspection_round', 'inspection_round_event',
        'inspection_visit', 'inspection_visit_photo', 'inspection_photo'
    ] loop
        execute format('alter table %I enable row level security', bound);
        execute format('create policy ingest_everywhere on %I to taizhang_ingest using (true)', bound);
        execute format('create policy api_in_scope on %I to taizhang_api using (site_id = any ((select site_scope())::int[]))', bound);
        execute format('grant select, insert on %I to taizhang_api', bound);
        execute format('grant select on %I to taizhang_ingest', bound);  -- it audits the whole ledger
    end loop;
end
$$;
grant update (retired_at, retired_by, retired_reason) on tag to taizhang_api;
grant update (name_zh, name_en, grid, officer, substitute, period, days, starts_at, window_min, ordered, retired_at)
    on inspection_plan to taizhang_api;
grant delete on inspection_plan_stop to taizhang_api;  -- a route is changed as a whole
grant update (state, guard, ended_at, journal_length) on inspection_round to taizhang_api;
grant update (verdict, reasons, reviewed_at, reviewed_by, review_note) on inspection_visit to taizhang_api;

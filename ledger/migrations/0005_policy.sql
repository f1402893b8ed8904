-- What people decide for a site beside packs and contracts, and work permits in full: the kind of work, what was asked
-- for it, the permit it goes on from, and the word of whoever says that overrun work is over.

create table site_setting (
    id          bigint generated always as identity primary key,
    site_id     int not null references site (id),
    facility_id int,                             -- null: of the whole site
    name        text not null,                   -- 'grade', 'grade.elevator', 'sla_profile', 'clock.high.arrive_by'
    value       text,                            -- null: from here on what stands behind it counts again
    author      text not null,
    reason      text not null,
    set_at      timestamptz not null,            -- the newest row of a name is in force; the others are its history
    constraint site_setting_facility_same_site foreign key (site_id, facility_id) references facility (site_id, id),
    constraint site_setting_bounded check (length(name) between 1 and 200 and length(value) between 1 and 100),
    constraint site_setting_by_somebody_for_a_reason check (author <> '' and reason <> '')
);
create index site_setting_in_force on site_setting (site_id, facility_id, name, id desc);
create trigger site_setting_append_only before update or delete on site_setting for each row execute function refuse_change();
create trigger site_setting_no_truncate before truncate on site_setting for each statement execute function refuse_change();

alter table site_setting enable row level security;
create policy ingest_everywhere on site_setting to taizhang_ingest using (true);
create policy api_in_scope on site_setting to taizhang_api using (site_id = any ((select site_scope())::int[]));
grant select on site_setting to taizhang_ingest;
grant select, insert on site_setting to taizhang_api;
grant update (grade) on facility to taizhang_api;
grant update (sla_profile) on site to taizhang_api;

-- The contracts that stand come from estate files; without these rows the next import would take a person's choice back.
insert into site_setting (site_id, name, value, author, reason, set_at)
    select id, 'sla_profile', sla_profile, 'estate', 'estate file', created_at from site;

alter table work_permit
    add column work ledger_key,                  -- the kind of work, by its key in works.yaml; null: named by its rules alone
    add column answers jsonb not null default '{}',  -- what the kind of work asks for: key -> what was said
    add column extends_id bigint,                -- the permit whose work goes on under this one
    add column settled_at timestamptz,           -- overrun: when a person said that the work is over, or went on with it
    add column settled_by text,
    add constraint work_permit_facility_id_unique unique (facility_id, id),
    add constraint work_permit_extends_same_facility foreign key (facility_id, extends_id)
        references work_permit (facility_id, id),
    add constraint work_permit_extended_once unique (extends_id),
    add constraint work_permit_answers_bounded check (
        jsonb_typeof(answers) = 'object' and octet_length(answers::text) <= 65536
    ),
    add constraint work_permit_settled_by_someone check ((settled_at is null) = (settled_by is null)),
    add constraint work_permit_settled_after_overrun check (settled_at is null or (overrun and settled_at >= ended_at)),
    -- Work on what nothing is measured at silences nothing, and still has a holder and an end.
    drop constraint work_permit_names_rules,
    add constraint work_permit_names_rules check (
        cardinality(rules) <= 50 and (cardinality(rules) >= 1 or work is not null)
    );
create index work_permit_unsettled on work_permit (site_id) where overrun and settled_at is null;
grant update (settled_at, settled_by) on work_permit to taizhang_api;

-- What somebody outside has certified of a facility, and until when: papers an inspector asks for.
-- docs/decisions/0032-certificates.md says why it is like this.

create type certificate_kind as enum (
    'fire_facility_test', 'fire_product', 'electrical_fire_test', 'lift_periodic_inspection', 'lift_self_testing',
    'use_registration', 'pressure_gauge_calibration', 'safety_valve_calibration', 'instrument_calibration',
    'water_quality_test', 'water_sanitary_permit', 'tank_cleaning', 'lightning_protection_test', 'acceptance', 'other'
);

create table certificate (
    id            bigint generated always as identity primary key,
    site_id       int not null references site (id),
    facility_id   int not null,
    kind          certificate_kind not null,
    number        text not null,
    issuer        text not null,
    issued_on     date not null,
    valid_until   date,                          -- its last day; null: open
    note          text,
    replaces_id   bigint,                        -- the one it came in place of
    added_at      timestamptz not null,
    added_by      text not null,
    withdrawn_at  timestamptz,                   -- entered by mistake, or revoked; it stays on record
    withdrawn_by  text,
    withdrawn_why text,
    constraint certificate_site_id_unique unique (site_id, id),
    constraint certificate_facility_id_unique unique (facility_id, id),
    constraint certificate_facility_same_site foreign key (site_id, facility_id) references facility (site_id, id),
    constraint certificate_replaces_same_facility foreign key (facility_id, replaces_id)
        references certificate (facility_id, id),
    constraint certificate_bounded check (
        length(number) between 1 and 100 and length(issuer) between 1 and 100 and length(note) between 1 and 4000
    ),
    constraint certificate_ends_after_it_begins check (valid_until >= issued_on),
    constraint certificate_withdrawn_by_somebody check (
        num_nonnulls(withdrawn_at, withdrawn_by, withdrawn_why) in (0, 3) and length(withdrawn_why) between 1 and 4000
    )
);
create index certificate_by_end on certificate (site_id, valid_until, id) where withdrawn_at is null;
create index certificate_replacing on certificate (replaces_id) where replaces_id is not null;
create trigger certificate_no_delete before delete on certificate for each row execute function refuse_change();
create trigger certificate_no_truncate before truncate on certificate for each statement execute function refuse_change();

-- Its pages, as PDF or pictures: the bytes lie in the directory of photos, under their hash.
create table certificate_page (
    site_id        int not null references site (id),
    certificate_id bigint not null,
    sha256         text not null,
    media_type     text not null,
    bytes          int not null,
    added_at       timestamptz not null,
    added_by       text not null,
    constraint certificate_page_pkey primary key (certificate_id, sha256),
    constraint certificate_page_certificate_same_site foreign key (site_id, certificate_id)
        references certificate (site_id, id),
    constraint certificate_page_named_by_content check (sha256 ~ '^[0-9a-f]{64}$'),
    constraint certificate_page_is_a_document check (
        media_type in ('application/pdf', 'image/jpeg', 'image/png', 'image/webp') and bytes > 0
    )
);
create index certificate_page_of_site on certificate_page (site_id, sha256);
create trigger certificate_page_append_only before update or delete on certificate_page
    for each row execute function refuse_change();
create trigger certificate_page_no_truncate before truncate on certificate_page
    for each statement execute function refuse_change();

do $$
declare
    bound text;
begin
    foreach bound in array array['certificate', 'certificate_page'] loop
        execute format('alter table %I enable row level security', bound);
        execute format('create policy ingest_everywhere on %I to taizhang_ingest using (true)', bound);
        execute format('create policy api_in_scope on %I to taizhang_api using (site_id = any ((select site_scope())::int[]))', bound);
        execute format('grant select, insert on %I to taizhang_api', bound);
        execute format('grant select on %I to taizhang_ingest', bound);  -- it audits the whole ledger
    end loop;
end
$$;
grant update (withdrawn_at, withdrawn_by, withdrawn_why) on certificate to taizhang_api;

-- Walking rounds, widened: what strangers report of a facility whose tag they scanned.
-- docs/inspection.md says how it hangs together, docs/decisions/0026-inspection-widened.md why.

create type public_problem as enum ('blocked', 'damaged', 'missing', 'not_working', 'other');

-- ---------------------------------------------------------------- what strangers report

create table public_report (
    id            uuid not null,                 -- made with the form: sent twice, it is kept once
    site_id       int not null references site (id),
    facility_id   int not null,
    tag_id        bigint not null,
    problem       public_problem not null,
    words         text not null,                 -- empty: the problem says it
    contact       text,                          -- theirs, if they gave one; in no journal and no dossier
    photo_sha256  text,
    work_order_id bigint not null,               -- the one it opened or joined
    opened_order  boolean not null,
    received_at   timestamptz not null,
    constraint public_report_pkey primary key (id),
    constraint public_report_facility_same_site foreign key (site_id, facility_id) references facility (site_id, id),
    constraint public_report_tag_same_facility foreign key (facility_id, tag_id) references tag (facility_id, id),
    constraint public_report_order_same_site foreign key (site_id, work_order_id) references work_order (site_id, id),
    constraint public_report_photo_same_site foreign key (site_id, photo_sha256) references inspection_photo (site_id, sha256),
    constraint public_report_bounded check (length(words) <= 1000 and length(contact) between 1 and 100),
    constraint public_report_says_something check (problem <> 'other' or words <> '' or photo_sha256 is not null)
);
create index public_report_of_site on public_report (site_id, received_at desc, id);
create index public_report_of_facility on public_report (facility_id, received_at desc);
create index public_report_of_order on public_report (work_order_id);

-- ---------------------------------------------------------------- rounds that were missed

grant insert on condition to taizhang_api;  -- of the calendar of rounds, which no pack of a facility names

-- ---------------------------------------------------------------- who may

do $$
declare
    bound text;
begin
    foreach bound in array array['public_report'] loop
        execute format('alter table %I enable row level security', bound);
        execute format('create policy ingest_everywhere on %I to taizhang_ingest using (true)', bound);
        execute format('create policy api_in_scope on %I to taizhang_api using (site_id = any ((select site_scope())::int[]))', bound);
        execute format('grant select, insert on %I to taizhang_api', bound);
        execute format('grant select on %I to taizhang_ingest', bound);  -- it audits the whole ledger
    end loop;
end
$$;

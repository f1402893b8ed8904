-- Walking rounds, answered for: who signed what, the month's report as it was issued, and a plan as it was at
-- each window. docs/inspection.md says how it hangs together, docs/decisions/0030 why.

alter type work_order_move add value 'confirm';

create type signature_part as enum ('patroller', 'supervisor', 'fire_manager');

-- ---------------------------------------------------------------- plans as they were

-- A plan has one form in force at a time. A window belongs to the form in force when it ends.
create table inspection_plan_form (
    site_id    int not null references site (id),
    plan_id    int not null,
    seq        int not null,
    period     round_period not null,
    days       int[] not null,
    starts_at  time not null,
    window_min int not null,
    route      int[] not null,                   -- facilities, in order
    from_at    timestamptz not null,
    until_at   timestamptz,                      -- null: in force
    constraint inspection_plan_form_pkey primary key (plan_id, seq),
    constraint inspection_plan_form_plan_same_site foreign key (site_id, plan_id) references inspection_plan (site_id, id),
    constraint inspection_plan_form_in_order check (from_at <= until_at)
);
create unique index inspection_plan_form_one_in_force on inspection_plan_form (plan_id) where until_at is null;
insert into inspection_plan_form (site_id, plan_id, seq, period, days, starts_at, window_min, route, from_at, until_at)
select site_id, id, 1, period, days, starts_at, window_min,
    coalesce((select array_agg(facility_id order by seq) from inspection_plan_stop as stop where stop.plan_id = plan.id), '{}'),
    made_at, greatest(made_at, retired_at)
from inspection_plan as plan;

-- ---------------------------------------------------------------- signatures

create table inspection_signature (
    id             bigint generated always as identity primary key,
    site_id        int not null references site (id),
    round_id       bigint,
    work_order_id  bigint,                       -- of what a round found and somebody put right
    part           signature_part not null,
    person_id      int not null references person (id),
    signer         text not null,                -- the person's name, as the journals know it
    note           text,
    signed_at      timestamptz not null,
    visits         int not null,                 -- so many it covers; what comes to the round later it does not
    content        text not null,                -- what was signed, as JSON
    content_sha256 bytea not null,
    constraint inspection_signature_once unique nulls not distinct (round_id, work_order_id, part, content_sha256),
    constraint inspection_signature_round_same_site foreign key (site_id, round_id) references inspection_round (site_id, id),
    constraint inspection_signature_order_same_site foreign key (site_id, work_order_id) references work_order (site_id, id),
    constraint inspection_signature_of_one_thing check (
        num_nonnulls(round_id, work_order_id) = 1 and (part = 'fire_manager') = (work_order_id is not null)
    ),
    constraint inspection_signature_of_its_content check (content_sha256 = sha256(convert_to(content, 'UTF8'))),
    constraint inspection_signature_bounded check (
        length(signer) between 1 and 100 and length(note) <= 4000 and octet_length(content) <= 1048576 and visits >= 0
    )
);
create index inspection_signature_of_order on inspection_signature (work_order_id) where work_order_id is not null;
create trigger inspection_signature_append_only before update or delete on inspection_signature
    for each row execute function refuse_change();
create trigger inspection_signature_no_truncate before truncate on inspection_signature
    for each statement execute function refuse_change();

-- ---------------------------------------------------------------- the month's report

create table inspection_report (
    id             bigint generated always as identity primary key,
    site_id        int not null references site (id),
    month          date not null,                -- its first day, by the site's calendar
    grid           text,                         -- null: the whole site
    version        int not null,
    issued_at      timestamptz not null,
    issued_by      text not null,
    reason         text,                         -- why it was issued again
    figures        text not null,                -- all that it says, as JSON: nothing is reckoned when it is shown
    figures_sha256 bytea not null,
    constraint inspection_report_version_once unique nulls not distinct (site_id, month, grid, version),
    constraint inspection_report_of_a_month check (extract(day from month) = 1),
    constraint inspection_report_again_for_a_reason check (version >= 1 and (version = 1) = (reason is null)),
    constraint inspection_report_of_its_figures check (figures_sha256 = sha256(convert_to(figures, 'UTF8'))),
    constraint inspection_report_bounded check (
        length(issued_by) between 1 and 100 and length(grid) between 1 and 100 and length(reason) between 1 and 4000
        and octet_length(figures) <= 8388608
    )
);
create index inspection_report_of_site on inspection_report (site_id, month desc, id);
create trigger inspection_report_append_only before update or delete on inspection_report
    for each row execute function refuse_change();
create trigger inspection_report_no_truncate before truncate on inspection_report
    for each statement execute function refuse_change();

-- ---------------------------------------------------------------- who may

do $$
declare
    bound text;
begin
    foreach bound in array array['inspection_plan_form', 'inspection_signature', 'inspection_report'] loop
        execute format('alter table %I enable row level security', bound);
        execute format('create policy ingest_everywhere on %I to taizhang_ingest using (true)', bound);
        execute format('create policy api_in_scope on %I to taizhang_api using (site_id = any ((select site_scope())::int[]))', bound);
        execute format('grant select, insert on %I to taizhang_api', bound);
        execute format('grant select on %I to taizhang_ingest', bound);  -- it audits the whole ledger
    end loop;
end
$$;
grant update (until_at) on inspection_plan_form to taizhang_api;

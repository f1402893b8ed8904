-- Whether a facility can be used, by what people found who looked at it. docs/inspection.md says how it changes,
-- docs/decisions/0031-guards-and-fitness.md why. No row: nothing was ever found wrong there.

create type fitness_state as enum ('fit', 'faulty', 'out_of_use');

create table facility_fitness (
    facility_id    int not null,
    site_id        int not null references site (id),
    state          fitness_state not null,
    since          timestamptz not null,          -- when it became so
    seen_at        timestamptz not null,          -- scan of the newest visit that said how it is; an older one moves nothing
    work_order_id  bigint not null,               -- of the finding that made it unfit last
    journal_length int not null default 0,        -- its journal are the entries of its dossier
    constraint facility_fitness_pkey primary key (facility_id),
    constraint facility_fitness_facility_same_site foreign key (site_id, facility_id) references facility (site_id, id),
    constraint facility_fitness_order_same_site foreign key (site_id, work_order_id) references work_order (site_id, id)
);
create index facility_fitness_of_order on facility_fitness (work_order_id);

alter table facility_fitness enable row level security;
create policy ingest_everywhere on facility_fitness to taizhang_ingest using (true);
create policy api_in_scope on facility_fitness to taizhang_api using (site_id = any ((select site_scope())::int[]));
grant select, insert on facility_fitness to taizhang_api;
grant update (state, since, seen_at, work_order_id, journal_length) on facility_fitness to taizhang_api;
grant select on facility_fitness to taizhang_ingest;  -- it audits the whole ledger
grant update (state, since, seen_at, work_order_id, journal_length) on facility_fitness to taizhang_ingest;  -- orders that it closes

-- ---------------------------------------------------------------- who saw the work, by scanning where it was done

alter type work_order_move add value 'witness';

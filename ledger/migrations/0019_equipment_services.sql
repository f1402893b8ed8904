-- Services of equipment, as people put them on record: of a piece, the newest entry counts. docs/decisions/0038-equipment-services.md.

alter table asset add constraint asset_site_id_unique unique (site_id, id);

create table asset_service (
    id          bigint generated always as identity primary key,
    site_id     int not null references site (id),
    asset_id    int not null,
    serviced_on date,                  -- null: what was on record before was not so
    note        text not null,         -- who did it, or why it is struck
    recorded_at timestamptz not null,
    recorded_by text not null,
    constraint asset_service_asset_same_site foreign key (site_id, asset_id) references asset (site_id, id),
    constraint asset_service_bounded check (length(note) between 1 and 4000)
);
create index asset_service_newest on asset_service (asset_id, id desc);
create trigger asset_service_append_only before update or delete on asset_service
    for each row execute function refuse_change();
create trigger asset_service_no_truncate before truncate on asset_service
    for each statement execute function refuse_change();

alter table asset_service enable row level security;
create policy ingest_everywhere on asset_service to taizhang_ingest using (true);
create policy api_in_scope on asset_service to taizhang_api using (site_id = any ((select site_scope())::int[]));
grant select, insert on asset_service to taizhang_api;
grant select on asset_service to taizhang_ingest;  -- it audits the whole ledger

-- Ingest's sign of life, a row for each site it judges, and what lets somebody else raise the alarm when it stops: the
-- api's watchdog opens an alarm as ingest would. docs/decisions/0018-watched.md has the reasons.

create table ingest_beat (
    site_id          int not null references site (id),
    worker           text not null,
    beat_at          timestamptz not null,        -- by the server's own clock: about the service, not about the building
    broker_connected boolean not null,
    lag_s            float8 not null,             -- age of the oldest message not judged; 0: none waits
    constraint ingest_beat_pkey primary key (site_id),
    constraint ingest_beat_bounded check (length(worker) between 1 and 200 and lag_s >= 0 and lag_s < 'infinity')
);

alter table ingest_beat enable row level security;
create policy ingest_everywhere on ingest_beat to taizhang_ingest using (true);
create policy api_in_scope on ingest_beat to taizhang_api using (site_id = any ((select site_scope())::int[]));
grant select, insert, update on ingest_beat to taizhang_ingest;
grant select on ingest_beat to taizhang_api;
grant insert on alarm to taizhang_api;

-- How ingest is over all sites, for a readiness that belongs to nobody: says nothing about whose.
grant select on ingest_beat to taizhang_reader;
create policy reader_everywhere on ingest_beat for select to taizhang_reader using (true);
create view ingest_state with (security_barrier) as
    select count(*)::int as sites,
           extract(epoch from clock_timestamp() - min(beat_at))::float8 as oldest_beat_s,
           coalesce(max(lag_s), 0) as lag_s,
           coalesce(bool_and(broker_connected), false) as broker_connected
    from ingest_beat;

grant create on schema public to taizhang_reader;
alter view ingest_state owner to taizhang_reader;
revoke create on schema public from taizhang_reader;
set local role taizhang_reader;
grant select on ingest_state to taizhang_api;
reset role;

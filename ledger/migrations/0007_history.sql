-- What remains of readings for years: one row per point and hour. Raw readings go when they are past their keeping, and
-- never before their hour has been made of them. docs/decisions/0017-history.md has the reasons.

-- How far the history of a site has come. Hours before `rolled_until` are made; whoever stores a reading that is older
-- than `closed_until` says so in `stale_hour`, in the same transaction. No row: nothing is made yet.
create table site_history (
    site_id       int not null references site (id),
    closed_until  timestamptz not null,
    rolled_until  timestamptz not null,
    dropped_until timestamptz not null,          -- before this whole chunks were dropped: an hour has no readings any more
    forgotten     bigint not null default 0,     -- readings whose hours are past their keeping as well
    constraint site_history_pkey primary key (site_id),
    constraint site_history_in_order check (dropped_until <= rolled_until and rolled_until <= closed_until),
    constraint site_history_forgotten_counts check (forgotten >= 0)
);

-- Figures over the good readings of an hour (UTC), `bad` counts the others. The mean leaves out what is beyond 1e100.
create table reading_hour (
    point_id     int not null,
    count        int not null,
    hour         timestamptz not null,
    minimum      float8,
    maximum      float8,
    mean         float8,
    last         float8,
    last_at      timestamptz,
    bad          int not null,
    has_readings boolean,                        -- whether they are still there; null: as dropped_until of the site says
    constraint reading_hour_pkey primary key (point_id, hour),
    constraint reading_hour_of_something check (count >= 0 and bad >= 0 and count + bad > 0),
    constraint reading_hour_figures_whole check (
        num_nonnulls(minimum, maximum, last, last_at) = case when count > 0 then 4 else 0 end and minimum <= maximum
        and (mean is null or count > 0)
    ),
    constraint reading_hour_last_within check (last_at >= hour and last_at < hour + interval '1 hour')
);

-- Hours that have changed since they were made. Only added to, so that ingest waits for nobody; several may name one hour.
create table stale_hour (
    id       bigint generated always as identity,
    point_id int not null,
    hour     timestamptz not null,
    due_at   timestamptz,                        -- null: at once; else it waits for redeliveries, see the decision
    constraint stale_hour_pkey primary key (id)
);
create index stale_hour_due on stale_hour (due_at nulls first, id);
create index stale_hour_of_point on stale_hour (point_id, hour);

grant select, insert, update on site_history to taizhang_ingest;
grant select, insert, update, delete on reading_hour to taizhang_ingest;
grant select, insert, delete on stale_hour to taizhang_ingest;
grant update (due_at) on stale_hour to taizhang_ingest;
grant delete on reading to taizhang_ingest;      -- what is past its keeping

alter table site_history enable row level security;
create policy ingest_everywhere on site_history to taizhang_ingest using (true);
create policy api_in_scope on site_history to taizhang_api using (site_id = any ((select site_scope())::int[]));
grant select on site_history to taizhang_api;

-- As site_reading: reading_hour knows its site through the point, and has no policy.
grant select on reading_hour to taizhang_reader;
grant select (site_id, dropped_until) on site_history to taizhang_reader;
create policy reader_in_scope on site_history for select to taizhang_reader
    using (site_id = any ((select site_scope())::int[]));

create view site_reading_hour with (security_barrier) as
    select point.site_id, made.point_id, made.hour, made.minimum, made.maximum, made.mean, made.last, made.last_at,
           made.count, made.bad, coalesce(made.has_readings, made.hour >= site_history.dropped_until) as has_readings
    from point join reading_hour as made on made.point_id = point.id
    join site_history on site_history.site_id = point.site_id
    where point.site_id = any ((select site_scope())::int[]);

grant create on schema public to taizhang_reader;
alter view site_reading_hour owner to taizhang_reader;
revoke create on schema public from taizhang_reader;
set local role taizhang_reader;
grant select on site_reading_hour to taizhang_api;
reset role;

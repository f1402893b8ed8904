-- What remains of readings for years: one row per point and hour. Raw readings go when they are past their keeping, and
-- never before their hour has been made of them. docs/decisions/0017-history.md has the reasons.

-- How far the history of a site has come. Hours before `rolled_until` are made; whoever stores a reading that is older
-- than `closed_until` says so in `stale_hour`, in the same transaction. No row: nothing is made yet.
create table site_history (
    site_id       int not null references site (id),
    closed_until  timestamptz not null,
    rolled_until  timestamptz not null,
    forgotten     bigint not null default 0,     -- readings whose hours are past their keeping as well
    constraint site_history_pkey primary key (site_id),
    constraint site_history_in_order check (rolled_until <= closed_until),
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
    has_readings boolean not null default true,  -- false: they are past their keeping
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

create view site_reading_hour with (security_barrier) as
    select point.site_id, made.point_id, made.hour, made.minimum, made.maximum, made.mean, made.last, made.last_at,
           made.count, made.bad, made.has_readings
    from point join reading_hour as made on made.point_id = point.id
    where point.site_id = any ((select site_scope())::int[]);

grant create on schema public to taizhang_reader;
alter view site_reading_hour owner to taizhang_reader;
revoke create on schema public from taizhang_reader;
set local role taizhang_reader;
grant select on site_reading_hour to taizhang_api;
reset role;

-- A chunk goes as a file does, at once and with its disk; only the owner of the table may drop one, and no service acts as
-- the owner. So ingest may call this, which does nothing else, and only after it has seen for itself that the chunk may
-- go. `before`: when what each kind measured is past its keeping; a kind left out is kept for ever. `tail`: how far back
-- from its newest reading a point's readings always stay. Gives how many readings went; null: there is nothing to drop as
-- a whole at that time, and what is past its keeping goes by batches.
create function drop_expired_chunk(overdue timestamptz, kinds point_kind[], before timestamptz[], tail interval, kept_max int)
    returns bigint language plpgsql security definer
    set search_path = pg_catalog, public, pg_temp set lock_timeout = '2s' as $$
declare
    chunk     record;
    kept      public.reading[];
    had       bigint;
begin
    if not exists (select from pg_extension where extname = 'timescaledb') then
        return null;
    end if;
    execute $query$
        select format('%I.%I', chunk_schema, chunk_name) as name, range_start, range_end
        from timescaledb_information.chunks
        where hypertable_schema = 'public' and hypertable_name = 'reading' and range_start <= $1 and range_end > $1
    $query$ into chunk using overdue;
    if chunk.name is null or exists (
        select from site left join site_history on site_id = site.id
        where (rolled_until is null or rolled_until < chunk.range_end)
        and exists (select from point where point.site_id = site.id)
    ) then
        return null;
    end if;
    create temporary table expiring on commit drop as
        select point.id as point_id, least(keeping.before, held.ts, chunk.range_end) as until from point
        join unnest(kinds, before) as keeping (kind, before) on keeping.kind = point.kind
        cross join lateral (select ts from reading where point_id = point.id order by ts desc limit 1) as newest
        cross join lateral (
            select ts from reading where point_id = point.id and ts <= newest.ts - tail order by ts desc limit 1
        ) as held;
    update pg_temp.expiring set until = date_bin('1 hour', until, timestamptz 'epoch');
    if exists (
        select from (
            select there.point_id, date_bin('1 hour', there.ts, timestamptz 'epoch') as hour, count(*) as count
            from reading as there join pg_temp.expiring on expiring.point_id = there.point_id
            where there.ts >= chunk.range_start and there.ts < chunk.range_end and there.ts < expiring.until group by 1, 2
        ) as summed left join reading_hour as made using (point_id, hour)
        where not coalesce(made.has_readings and summed.count = made.count + made.bad, false)
    ) then
        return null;
    end if;
    if (
        select count(*) from (
            select from reading as there left join pg_temp.expiring on expiring.point_id = there.point_id
            where there.ts >= chunk.range_start and there.ts < chunk.range_end
            and (expiring.until is null or there.ts >= expiring.until) limit kept_max + 1
        ) as staying
    ) > kept_max then
        return null;
    end if;
    execute format('select count(*) from %s', chunk.name) into had;
    update reading_hour set has_readings = false from pg_temp.expiring
        where reading_hour.point_id = expiring.point_id and has_readings
        and hour >= chunk.range_start and hour < least(expiring.until, chunk.range_end);
    -- From here on nobody writes into it: whoever had, has committed and noted it.
    execute format('lock table %s in access exclusive mode', chunk.name);
    if exists (select from stale_hour where hour >= chunk.range_start and hour < chunk.range_end) then
        raise exception 'noted' using errcode = 'lock_not_available';
    end if;
    select array_agg(one) into kept from (
        select there as one from reading as there left join pg_temp.expiring on expiring.point_id = there.point_id
        where there.ts >= chunk.range_start and there.ts < chunk.range_end
        and (expiring.until is null or there.ts >= expiring.until)
    ) as staying;
    execute $query$ select drop_chunks('public.reading', older_than => $1, newer_than => $2) $query$
        using chunk.range_end, chunk.range_start;
    insert into reading select (unnest(kept)).*;
    drop table pg_temp.expiring;
    return had - coalesce(cardinality(kept), 0);
end
$$;
revoke execute on function drop_expired_chunk from public;
grant execute on function drop_expired_chunk to taizhang_ingest;

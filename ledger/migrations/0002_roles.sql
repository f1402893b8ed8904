-- Who may do what. Services connect as the user that migrates and then `set role` to one of these; the user that
-- migrates owns everything and is bound by nothing, so no service acts as it.
--   taizhang_ingest  writes what was measured and what follows from it, for every site
--   taizhang_api     does what people do, within the sites named in the setting taizhang.sites; without it, nothing
--   taizhang_reader  owns the views site_reading and site_current, and nothing else
-- docs/decisions/0003-row-level-security.md has the reasons.

do $$
declare
    wanted text;
    needed text := case when current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end;
begin
    foreach wanted in array array['taizhang_ingest', 'taizhang_api', 'taizhang_reader'] loop
        begin
            if not exists (select from pg_roles where rolname = wanted) then
                execute format('create role %I nologin', wanted);
            end if;
        exception when duplicate_object or unique_violation then
            null;  -- roles belong to the whole server: another database's migration was faster
        end;
        begin
            if not pg_has_role(current_user, wanted, needed) then
                execute format('grant %I to %I', wanted, current_user);
            end if;
        exception when unique_violation then
            null;
        end;
    end loop;
    execute format('grant temporary on database %I to taizhang_ingest', current_database());
exception when insufficient_privilege then
    raise exception '% (role %); let an administrator run: create role % nologin; grant % to %;',
        sqlerrm, wanted, wanted, wanted, current_user using errcode = 'insufficient_privilege';
end
$$;

grant usage on schema public to taizhang_ingest, taizhang_api, taizhang_reader;

-- The sites a transaction is about. Absent or empty: none.
create function site_scope() returns int[] language sql stable parallel safe
    return string_to_array(nullif(current_setting('taizhang.sites', true), ''), ',')::int[];

-- An answer is given again only to a scope that covers the one it was first given in.
alter table idempotency add column scope int[] not null default site_scope()
    constraint idempotency_scope_named check (cardinality(scope) > 0);

-- ---------------------------------------------------------------- ingest

grant select on
    schema_migration, site, location, facility, gateway, facility_relation, part, asset, point, point_code, reading,
    intake_account, quarantine, condition, alarm, alarm_note, condition_event, work_order, work_order_alarm,
    work_order_event, work_permit, timer, rule_parameter, dossier_entry, outbox, idempotency
    to taizhang_ingest;
grant insert on
    reading, intake_account, quarantine, condition, alarm, condition_event, work_order, work_order_alarm,
    work_order_event, timer, dossier_entry, outbox
    to taizhang_ingest;
grant update on intake_account, quarantine, condition, alarm, work_order, timer to taizhang_ingest;
grant update (revision) on site to taizhang_ingest;
grant update (chain_length, chain_head) on facility to taizhang_ingest;
grant update (online, online_since, heard_at, clock_offset_ms, last_seq, seq_gaps) on gateway to taizhang_ingest;
grant update (ended_at, ended_by, overrun) on work_permit to taizhang_ingest;
grant update (published_at) on outbox to taizhang_ingest;
grant delete on timer to taizhang_ingest;
grant delete on quarantine, outbox, idempotency to taizhang_ingest;  -- what is past its keeping

-- ---------------------------------------------------------------- api

grant select on
    schema_migration, site, location, facility, gateway, facility_relation, part, asset, point, point_code,
    intake_account, quarantine, condition, alarm, alarm_note, condition_event, work_order, work_order_alarm,
    work_order_event, work_permit, timer, rule_parameter, dossier_entry, outbox, idempotency
    to taizhang_api;
grant insert on
    alarm_note, condition_event, work_order, work_order_alarm, work_order_event, work_permit, timer, rule_parameter,
    dossier_entry, outbox, idempotency
    to taizhang_api;
grant update on condition, alarm, work_order, timer to taizhang_api;
grant update (revision) on site to taizhang_api;
grant update (chain_length, chain_head) on facility to taizhang_api;
grant update (ended_at, ended_by, overrun) on work_permit to taizhang_api;
grant update (status, body) on idempotency to taizhang_api;
grant delete on timer, idempotency to taizhang_api;

-- ---------------------------------------------------------------- promise 9: one site's people see one site

-- The sub-select is evaluated once per statement, not once per row.
do $$
declare
    bound text;
begin
    foreach bound in array array[
        'location', 'facility', 'gateway', 'facility_relation', 'part', 'asset', 'point', 'point_code', 'condition',
        'alarm', 'alarm_note', 'condition_event', 'work_order', 'work_order_alarm', 'work_order_event', 'work_permit', 'timer',
        'rule_parameter', 'dossier_entry', 'outbox'
    ] loop
        execute format('alter table %I enable row level security', bound);
        execute format('create policy ingest_everywhere on %I to taizhang_ingest using (true)', bound);
        execute format(
            'create policy api_in_scope on %I to taizhang_api using (site_id = any ((select site_scope())::int[]))', bound
        );
    end loop;
end
$$;

alter table site enable row level security;
create policy ingest_everywhere on site to taizhang_ingest using (true);
create policy api_in_scope on site to taizhang_api using (id = any ((select site_scope())::int[]));

-- Accounts and quarantine go by the site's key as it came over the wire. What names no site we know has '' and is
-- shown to a scope that contains 0.
alter table intake_account enable row level security;
create policy ingest_everywhere on intake_account to taizhang_ingest using (true);
create policy api_in_scope on intake_account to taizhang_api using (
    site_key in (select key from site) or (site_key = '' and 0 = any ((select site_scope())::int[]))
);
alter table quarantine enable row level security;
create policy ingest_everywhere on quarantine to taizhang_ingest using (true);
create policy api_in_scope on quarantine to taizhang_api using (
    site_key in (select key from site) or (site_key = '' and 0 = any ((select site_scope())::int[]))
);

alter table idempotency enable row level security;
create policy ingest_everywhere on idempotency to taizhang_ingest using (true);
create policy api_in_scope on idempotency to taizhang_api using (scope <@ (select site_scope()));

-- reading carries no policy (COPY refuses a table whose policies bind the role, TimescaleDB refuses compression). The
-- api reads these views instead. Their owner is bound by the policy on point; were it the tables' owner, it would not be.
grant select (id, site_id) on point to taizhang_reader;
grant select on reading to taizhang_reader;
create policy reader_in_scope on point for select to taizhang_reader using (site_id = any ((select site_scope())::int[]));

create view site_reading with (security_barrier) as
    select point.site_id, reading.point_id, reading.ts, reading.value, reading.quality
    from point join reading on reading.point_id = point.id
    where point.site_id = any ((select site_scope())::int[]);

-- The newest reading of each point by one step into the index; through site_reading all of them would be sorted.
create view site_current with (security_barrier) as
    select point.site_id, point.id as point_id, newest.ts, newest.value, newest.quality
    from point cross join lateral (
        select ts, value, quality from reading where reading.point_id = point.id order by reading.ts desc limit 1
    ) as newest
    where point.site_id = any ((select site_scope())::int[]);

grant create on schema public to taizhang_reader;
alter view site_reading owner to taizhang_reader;
alter view site_current owner to taizhang_reader;
revoke create on schema public from taizhang_reader;
set local role taizhang_reader;
grant select on site_reading, site_current to taizhang_api;
reset role;

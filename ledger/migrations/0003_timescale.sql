-- Where TimescaleDB is loaded, readings live in chunks of a day; elsewhere the same table stays plain. Nothing in the
-- code asks which of the two it is.

do $$
begin
    -- Its loader defines this setting; without the loader, `create extension` would end the session.
    if current_setting('timescaledb.disable_load', true) is null
        or not exists (select from pg_available_extensions where name = 'timescaledb')
    then
        return;
    end if;
    create extension if not exists timescaledb;
    -- The primary key serves every query; the default index on time alone would only cost.
    perform create_hypertable(
        'reading', 'ts', chunk_time_interval => interval '7 days', create_default_indexes => false
    );
end
$$;

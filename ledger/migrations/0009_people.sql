-- People, their sessions, tokens for machines, and the log of who did what from where. docs/people.md says how they are
-- used, docs/decisions/0022-people.md why they are like this.
--
-- Three settings say for whom a transaction is: taizhang.sites, as before; taizhang.person, who is signed in; and
-- taizhang.desk, on only while somebody is being recognised or a person's record is written. A route that forgets them
-- finds nobody, no session and no token.

create function person_scope() returns int language sql stable parallel safe
    return nullif(current_setting('taizhang.person', true), '')::int;
create function at_desk() returns bool language sql stable parallel safe
    return coalesce(current_setting('taizhang.desk', true) = 'on', false);

create table person (
    id          int generated always as identity primary key,
    login       text not null constraint person_login_unique unique,
    name        text not null constraint person_name_unique unique,  -- journals know people by it
    language    text not null,
    disabled_at timestamptz,
    disabled_by text,
    external_id text constraint person_external_id_unique unique,    -- issuer and subject of an OpenID Connect provider
    created_at  timestamptz not null,
    created_by  text not null,
    constraint person_login_shape check (login ~ '^[a-z0-9][a-z0-9._@-]{0,63}$'),
    constraint person_name_bounded check (length(name) between 1 and 100 and name = btrim(name)),
    constraint person_language_known check (language in ('zh', 'en')),
    constraint person_disabled_by_somebody check ((disabled_at is null) = (disabled_by is null))
);

-- Apart from the person, so that what shows people cannot show this.
create table person_password (
    person_id   int not null constraint person_password_pkey primary key
        constraint person_password_person_id_fkey references person (id),
    hash        text not null,                   -- argon2id, with its parameters
    must_change boolean not null,                -- set by somebody else: good for one sign-in
    set_at      timestamptz not null,
    constraint person_password_is_argon2 check (hash like '$argon2id$%' and length(hash) <= 300)
);

create table membership (
    person_id int not null constraint membership_person_id_fkey references person (id),
    site_id   int references site (id),          -- null: all sites, those to come included
    role      ledger_key not null,               -- what it may is in api/rights.py
    set_at    timestamptz not null,
    set_by    text not null,
    constraint membership_once unique nulls not distinct (person_id, site_id, role)
);
create index membership_site on membership (site_id);

create table session (
    id         bigint generated always as identity primary key,
    digest     bytea not null constraint session_digest_unique unique,  -- sha256 of what the cookie carries
    person_id  int not null constraint session_person_id_fkey references person (id),
    way        text not null,
    ip         text not null,
    user_agent text not null,
    created_at timestamptz not null,
    seen_at    timestamptz not null,
    expires_at timestamptz not null,             -- at the latest; sooner when unused for long
    constraint session_way_known check (way in ('password', 'oidc')),
    constraint session_bounded check (length(ip) <= 100 and length(user_agent) <= 300 and octet_length(digest) = 32),
    constraint session_ends_after_it_begins check (expires_at > created_at)
);
create index session_person on session (person_id);
create index session_expires on session (expires_at);

create table api_token (
    id           int generated always as identity primary key,
    name         text not null,
    digest       bytea not null constraint api_token_digest_unique unique,
    rights       text[] not null,
    sites        int[],                          -- null: all sites, those to come included
    made_by      text not null,
    made_by_id   int constraint api_token_made_by_id_fkey references person (id),  -- null: at the command line
    created_at   timestamptz not null,
    expires_at   timestamptz not null,
    used_at      timestamptz,
    revoked_at   timestamptz,
    revoked_by   text,
    constraint api_token_bounded check (
        length(name) between 1 and 100 and cardinality(rights) between 1 and 50 and octet_length(digest) = 32
        and (sites is null or cardinality(sites) between 1 and 1000)
    ),
    constraint api_token_ends_after_it_begins check (expires_at > created_at),
    constraint api_token_revoked_by_somebody check ((revoked_at is null) = (revoked_by is null))
);
create unique index api_token_name_unique on api_token (name) where revoked_at is null;

create table audit_log (
    id         bigint generated always as identity primary key,
    at         timestamptz not null,
    person_id  int constraint audit_log_person_id_fkey references person (id),
    token_id   int constraint audit_log_token_id_fkey references api_token (id),
    actor      text not null,                    -- as the journals name him
    ip         text not null,
    user_agent text not null,
    operation  text not null,                    -- 'acknowledge_alarm': as in openapi.json
    subject    text not null,                    -- 'alarms/17'
    site_id    int references site (id),         -- null: of no site, such as a sign-in
    asked      jsonb,                            -- what was asked for, without secrets
    outcome    text not null,
    constraint audit_log_outcome_known check (outcome in ('done', 'refused')),
    constraint audit_log_bounded check (
        length(actor) between 1 and 200 and length(ip) <= 100 and length(user_agent) <= 300
        and length(operation) between 1 and 100 and length(subject) <= 300 and octet_length(asked::text) <= 16384
    )
);
create index audit_log_site on audit_log (site_id, id desc);
create index audit_log_person on audit_log (person_id, id desc);
create trigger audit_log_append_only before update or delete on audit_log for each row execute function refuse_change();
create trigger audit_log_no_truncate before truncate on audit_log for each statement execute function refuse_change();

create table person_setting (
    person_id int not null constraint person_setting_person_id_fkey references person (id),
    key       ledger_key not null,
    value     jsonb not null,
    set_at    timestamptz not null,
    constraint person_setting_pkey primary key (person_id, key),
    constraint person_setting_bounded check (octet_length(value::text) <= 16384)
);

-- ---------------------------------------------------------------- who may

grant select, insert on person to taizhang_api;
grant update (name, language, disabled_at, disabled_by, external_id) on person to taizhang_api;
grant select, insert, update on person_password to taizhang_api;
grant select, insert, delete on membership to taizhang_api;
grant select, insert, delete on session to taizhang_api;
grant update (seen_at) on session to taizhang_api;
grant select, insert on api_token to taizhang_api;
grant update (used_at, revoked_at, revoked_by) on api_token to taizhang_api;
grant select, insert on audit_log to taizhang_api;
grant select, insert, update, delete on person_setting to taizhang_api;

-- `check` acts as ingest and asks whether every reference holds: the columns that refer, and no others.
grant select (id) on person to taizhang_ingest;
grant select (person_id) on person_password, session, person_setting to taizhang_ingest;
grant select (person_id, site_id) on membership to taizhang_ingest;
grant select (id, made_by_id) on api_token to taizhang_ingest;
grant select (person_id, token_id, site_id) on audit_log to taizhang_ingest;

do $$
declare
    bound text;
begin
    foreach bound in array array[
        'person', 'person_password', 'membership', 'session', 'api_token', 'audit_log', 'person_setting'
    ] loop
        execute format('alter table %I enable row level security', bound);
        execute format('create policy ingest_everywhere on %I for select to taizhang_ingest using (true)', bound);
        execute format(
            'create policy api_at_desk on %I to taizhang_api using ((select at_desk())) with check ((select at_desk()))', bound
        );
    end loop;
end
$$;

create policy api_in_scope on membership to taizhang_api
    using (coalesce(site_id, 0) = any ((select site_scope())::int[]));
create policy api_own on membership for select to taizhang_api using (person_id = (select person_scope()));

-- The policies of membership hold within this sub-select: whoever belongs to a site in scope is seen.
create policy api_in_scope on person for select to taizhang_api using (
    0 = any ((select site_scope())::int[]) or id in (select person_id from membership)
);
create policy api_own on person for select to taizhang_api using (id = (select person_scope()));

create policy api_own on person_setting to taizhang_api using (person_id = (select person_scope()));

create policy api_in_scope on api_token to taizhang_api using (coalesce(sites, '{0}') <@ (select site_scope()));

-- What is of no site is told to whoever answers for the person, or for all sites.
create policy api_in_scope on audit_log for select to taizhang_api using (
    coalesce(site_id, 0) = any ((select site_scope())::int[])
    or (site_id is null and person_id in (select person_id from membership))
);
create policy api_adds_in_scope on audit_log for insert to taizhang_api with check (
    site_id is null or site_id = any ((select site_scope())::int[])
);
